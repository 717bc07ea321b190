#include "gateway/close_reason.h"

#include "gateway/assert.h"

namespace gatehouse {

std::string_view to_string(CloseReason reason) noexcept {
  switch (reason) {
    case CloseReason::too_many_sessions:
      return "too_many_sessions";
    case CloseReason::audit_unwritable:
      return "audit_unwritable";
    case CloseReason::untrusted_sender:
      return "untrusted_sender";
    case CloseReason::proxy_header_malformed:
      return "proxy_header_malformed";
    case CloseReason::proxy_header_timeout:
      return "proxy_header_timeout";
    case CloseReason::plaintext_refused:
      return "plaintext_refused";
    case CloseReason::tls_failed:
      return "tls_failed";
    case CloseReason::handshake_timeout:
      return "handshake_timeout";
    case CloseReason::login_malformed:
      return "login_malformed";
    case CloseReason::backend_unreachable:
      return "backend_unreachable";
    case CloseReason::backend_untrusted:
      return "backend_untrusted";
    case CloseReason::login_refused:
      return "login_refused";
    case CloseReason::client_closed:
      return "client_closed";
    case CloseReason::backend_closed:
      return "backend_closed";
    case CloseReason::idle_timeout:
      return "idle_timeout";
    case CloseReason::revoked:
      return "revoked";
    case CloseReason::drained:
      return "drained";
    case CloseReason::killed:
      return "killed";
    case CloseReason::internal_error:
      return "internal_error";
    case CloseReason::denied:
      return "denied";
    case CloseReason::health_check:
      return "health_check";
  }
  GATEHOUSE_ASSERT(false);  // a CloseReason outside its enumerators
}

}  // namespace gatehouse
