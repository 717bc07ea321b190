// The keys that session tickets are sealed with: shared by all workers, made at start, kept nowhere
// but in memory, replaced every few hours. A ticket of the key before is still opened, and renewed;
// none is, by OpenSSL's own measure, that is more than two hours old.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include <openssl/ssl.h>

#include "gateway/net/tls_library.h"

namespace gatehouse {

class TicketKeys {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr auto rotate_every = std::chrono::hours(6);

  TicketKeys() : TicketKeys(&Clock::now) {}
  // `now`: for tests. Throws std::bad_alloc.
  explicit TicketKeys(Clock::time_point (*now)());

  // Makes `context` seal and open tickets with these keys, which must outlive it. Throws
  // std::bad_alloc.
  void attach(SSL_CTX* context);

 private:
  struct Key {
    std::array<std::uint8_t, 16> name{};
    std::array<std::uint8_t, 32> cipher{};
    std::array<std::uint8_t, 32> mac{};
  };
  struct Pair {
    Key current;
    Key previous;
  };

  // No value: there is no randomness, or no memory to make it with.
  static std::optional<Key> make_key() noexcept;
  static tls_library::TicketCallback callback;
  // Rotates first if it is time and can be done.
  Pair keys();

  // Held for a copy of two keys, once a handshake that deals with a ticket.
  std::mutex mutex_;
  Pair pair_;
  Clock::time_point (*now_)();
  Clock::time_point rotate_at_;
};

}  // namespace gatehouse
