// What a backend says between the client's login and the first command, where one byte tells OK,
// ERR, AuthSwitch and a plugin's own data apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/mariadb/bytes.h"

namespace gatehouse::mariadb {

enum class ReplyKind {
  ok,
  error,         // parse_error() has a value
  auth_switch,   // parse_auth_switch() has a value
  old_password,  // a switch to the hash of before 4.1, which nobody should answer
  more_data,     // a plugin's own, opaque
  malformed,     // empty, or cut short
};

[[nodiscard]] ReplyKind classify_reply(Bytes payload) noexcept;

// Views into the payload. A server that has not greeted yet sends no state.
struct ServerError {
  std::uint16_t code = 0;
  std::optional<std::string_view> state;  // five characters
  std::string_view message;               // may name internal addresses: not for clients
};
[[nodiscard]] std::optional<ServerError> parse_error(Bytes payload) noexcept;

struct AuthSwitch {
  std::string_view plugin;
  Bytes data;
};
[[nodiscard]] std::optional<AuthSwitch> parse_auth_switch(Bytes payload) noexcept;

// Whether an answer of this size can be one to this plugin; of plugins not known here any can. A
// server takes an impossible one for a broken handshake and counts it against the gateway.
[[nodiscard]] bool may_answer(std::string_view plugin, std::size_t size) noexcept;

// Whether the client's answer to this plugin is the password itself, which only TLS or a unix
// socket may carry. It also holds for a greeting's plugin.
[[nodiscard]] bool reveals_password(std::string_view plugin) noexcept;

// Whether a reply of kind more_data is caching_sha2_password's request for the password itself.
// Means nothing for other plugins.
[[nodiscard]] bool asks_for_full_authentication(Bytes payload) noexcept;

struct RewrittenOk {
  enum class Outcome {
    unchanged,  // relay the packet as it is
    changed,    // relay `payload` instead
    malformed,  // cannot be read to its end, so it may hold anything: do not relay
  };
  Outcome outcome = Outcome::malformed;
  std::vector<std::uint8_t> payload;
};

// Puts right the session state that a login's OK carries. `redirect_url` is taken out: since
// MariaDB 11.3 it tells clients to connect to the backend instead. `connection_id`, where set, is
// put in, in place of the backend's own: it tells clients their thread where the greeting told them
// another. All other state stays, and where the client does not track any, nothing is done.
// `capabilities` are those in force between this client and this backend.
[[nodiscard]] RewrittenOk rewrite_login_ok(Bytes ok_payload, std::uint64_t capabilities,
                                           std::optional<std::uint32_t> connection_id);

}  // namespace gatehouse::mariadb
