// A client's connection: blocking, with a deadline for each call, in which stages can be told
// apart.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <openssl/ssl.h>

#include "bench/tool/target.h"
#include "gateway/net/descriptor.h"

namespace gatehouse::bench {

struct Free {
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using Tls = std::unique_ptr<SSL, Free>;
using TlsContext = std::unique_ptr<SSL_CTX, Free>;
using TlsSession = std::unique_ptr<SSL_SESSION, Free>;

// Verifies nobody: any endpoint can be measured. Whoever gives a password is told so by --help.
// Never null.
[[nodiscard]] TlsContext client_context();

// One thread at a time. Every call that returns a bool: false where it failed, and why() says how.
class Channel {
 public:
  static constexpr std::chrono::seconds deadline{10};

  // `source`: an address to connect from; empty: whichever.
  [[nodiscard]] bool connect(const Target& target, const std::string& source);
  // `resume`: may be null.
  [[nodiscard]] bool begin_tls(SSL_CTX& context, SSL_SESSION* resume);
  [[nodiscard]] bool write(std::span<const std::uint8_t> bytes);
  [[nodiscard]] bool read_exactly(std::span<std::uint8_t> bytes);
  // Whether the other side says something so soon, or ends the connection.
  [[nodiscard]] bool hears_within(std::chrono::milliseconds time) const;
  // Reads until the other side ends the connection.
  [[nodiscard]] bool read_to_end();
  // A ticket for the next connection; null: there is none. TLS 1.3 brings it behind the handshake,
  // with the first bytes that are read.
  [[nodiscard]] TlsSession take_session() noexcept;
  [[nodiscard]] bool was_resumed() const noexcept;
  [[nodiscard]] bool is_tls() const noexcept { return tls_ != nullptr; }
  void close() noexcept;

  [[nodiscard]] const std::string& why() const noexcept { return why_; }
  // Whether the other side ended what it had begun, and not this one or the time allowed.
  [[nodiscard]] bool was_turned_away() const noexcept { return is_connected_ && !is_late_; }
  bool fail(std::string why);

 private:
  // As many as there are, but at least one; 0: it failed.
  std::size_t read_some(std::span<std::uint8_t> bytes);
  bool fail_in_tls(const char* what, int result);

  // In words.
  std::string failure(int error);

  Descriptor socket_;
  TlsSession ticket_;
  Tls tls_;
  bool is_connected_ = false;
  bool is_late_ = false;
  std::string why_;
  // What was read and not yet asked for: an answer comes in one piece, and drivers read it so.
  std::array<std::uint8_t, 4096> buffer_{};
  std::span<std::uint8_t> ahead_;  // of buffer_
};

}  // namespace gatehouse::bench
