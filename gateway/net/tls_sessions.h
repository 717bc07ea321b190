// The last TLS session with each of several peers, for the next connection to resume.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

struct ssl_session_st;

namespace gatehouse {

struct FreeSslSession {
  void operator()(ssl_session_st* session) const noexcept;
};
using SslSessionPointer = std::unique_ptr<ssl_session_st, FreeSslSession>;

// Holds as many as it may and no more: the one that was kept longest ago goes for a new one.
class TlsSessions {
 public:
  explicit TlsSessions(std::size_t size_max) noexcept : size_max_(size_max) {}

  void keep(const std::string& peer, SslSessionPointer session);
  // Null: there is none.
  [[nodiscard]] SslSessionPointer find(const std::string& peer) const noexcept;

 private:
  struct Kept {
    SslSessionPointer session;
    std::uint64_t turn = 0;
  };

  std::size_t size_max_;
  std::uint64_t turns_ = 0;
  std::map<std::string, Kept> kept_;
};

}  // namespace gatehouse
