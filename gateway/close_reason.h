// Why a session ended: what a stage stops with. The names are audit values and metric labels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gatehouse {

enum class CloseReason : std::uint8_t {
  // accept
  too_many_sessions,
  audit_unwritable,
  // PROXY header
  untrusted_sender,
  proxy_header_malformed,
  proxy_header_timeout,
  // preamble, TLS and login
  plaintext_refused,
  tls_failed,
  handshake_timeout,
  login_malformed,
  // dial
  backend_unreachable,
  backend_untrusted,
  // the backend's answer to the login, and the relay
  login_refused,
  client_closed,
  backend_closed,
  idle_timeout,
  revoked,
  drained,
  killed,
  // our own mistake; also where every record starts, until a stage says better
  internal_error,
  // The policy said no. Stages return one type, so this stands among the reasons, but it is an
  // event of its own with the decision's reason: never a `close_reason`, never counted as closed.
  denied,
  // A load balancer looked whether somebody answers: counted and never recorded.
  health_check,
};
// Those that can be a `close_reason`: all before `denied`.
inline constexpr std::size_t close_reason_count = static_cast<std::size_t>(CloseReason::denied);

[[nodiscard]] std::string_view to_string(CloseReason reason) noexcept;

}  // namespace gatehouse
