// Opens a connection to one of a server's backends and reads its greeting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/close_reason.h"
#include "gateway/mariadb/greeting.h"
#include "gateway/mariadb/packet_io.h"
#include "gateway/observe/log.h"
#include "gateway/snapshot.h"

namespace gatehouse::mariadb {

enum class DialOutcome {
  connected,
  too_many_connections,  // the backend said so (1040)
  unreachable,           // none answered in time, or with something else than a greeting
  untrusted,             // none was left but one that offers no TLS where it must be verified
  aborted,
};

struct Dialed {
  DialOutcome outcome = DialOutcome::unreachable;
  std::size_t backend = 0;  // index in server.backends, of the last one tried
  Greeting greeting;
  Packet packet;    // the greeting as it came
  std::string why;  // of the last failure, for operators only
};

// Who a backend with send_proxy_protocol is told is calling.
struct ProxiedClient {
  config::SocketAddress source;
  config::SocketAddress destination;
};

// What to look at first where a backend stops a session that was sent a PROXY header; empty where
// none was.
[[nodiscard]] std::string_view proxy_hint(const config::Server& server) noexcept;

// Tries the backends in order, each for at most server.dial_timeout: address, PROXY header,
// greeting. The connection being made stands in `slot`, where the session can abort it; after
// `connected` it is the backend's. `cut` is set when the session is over, also while there is
// nothing to abort. Why a backend failed goes to the log, never to a client. `state` and what it
// points to must outlive the call.
Awaitable<Dialed> dial(const ServerState& state, const ProxiedClient& client,
                       std::optional<Stream>& slot, const std::optional<CloseReason>& cut,
                       Log& log);

}  // namespace gatehouse::mariadb
