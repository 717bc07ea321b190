// Every ERR packet the gateway writes itself. Whole packets in a buffer of their own: refusing
// allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/mariadb/bytes.h"

namespace gatehouse::mariadb {

// Where in the conversation a refusal is said. Before the greeting an ERR has sequence 0 and no
// SQL state; clients take any other form for a broken connection.
struct Moment {
  bool greeted = false;
  std::uint8_t sequence = 0;  // one more than the last packet's, whichever side sent it
};
inline constexpr Moment before_greeting{};
[[nodiscard]] constexpr Moment after_greeting(std::uint8_t sequence) noexcept {
  return {.greeted = true, .sequence = sequence};
}

class Refusal {
 public:
  // The packet, header included. Lives as long as this object.
  [[nodiscard]] Bytes bytes() const noexcept { return {buffer_.data(), size_}; }

  // The longest text is 160 characters, and what is put into it (an address, a reference) is cut at
  // argument_size_max.
  static constexpr std::size_t argument_size_max = 64;

 private:
  friend class RefusalWriter;
  static constexpr std::size_t size_max = 256;
  std::array<std::uint8_t, size_max> buffer_{};
  std::size_t size_ = 0;
};

// 9000. `source_ip`: the address as text, without the port.
[[nodiscard]] Refusal denied_at_accept(std::string_view source_ip) noexcept;
// 9000 behind a login: no server named, an unknown one, a forbidden one: one text for all, so that
// nobody learns which servers there are. `sequence`: of the answer to the login.
[[nodiscard]] Refusal denied_after_login(std::uint8_t sequence,
                                         std::string_view source_ip) noexcept;
// 9002: plaintext where TLS is required. The sequence is that of the answer to the client's login.
[[nodiscard]] Refusal ssl_required(std::uint8_t sequence) noexcept;
// 1040
[[nodiscard]] Refusal too_many_connections(Moment moment) noexcept;
// 1043: a login that cannot be read.
[[nodiscard]] Refusal bad_handshake(std::uint8_t sequence) noexcept;

// 1231: a character set that no client may have, in MariaDB's words as far as they are known.
[[nodiscard]] Refusal charset_refused(std::uint8_t sequence) noexcept;

// What the client of a failed session may know of it.
enum class Failure {
  backend_unreachable,  // also one that broke off, or cannot be trusted
  audit_unwritable,
  gateways_own_user,       // a unix socket would let this user in as the gateway itself
  clear_password_refused,  // the account's plugin would send the password over a plaintext backend
                           // leg
};
// 1105. `reference`: the session's id, by which an operator finds the rest in the audit.
[[nodiscard]] Refusal session_failed(Moment moment, Failure failure,
                                     std::string_view reference) noexcept;

}  // namespace gatehouse::mariadb
