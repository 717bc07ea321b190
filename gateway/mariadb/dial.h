// Opens a connection to one of a server's backends and reads its greeting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/mariadb/greeting.h"
#include "gateway/mariadb/packet_io.h"
#include "gateway/net/name_lookup.h"
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

// One session's way to a backend: tries the server's in order, each for at most
// server.dial_timeout: name, address, PROXY header, greeting. Why a backend failed goes to the log,
// never to a client.
class Dial {
 public:
  // `state` and what it points to, `slot` and `log` must outlive this. The connection being made
  // stands in `slot`; after `connected` it is the backend's.
  Dial(const ServerState& state, const ProxiedClient& client, std::optional<Stream>& slot,
       Log& log);

  // Once.
  Awaitable<Dialed> run();
  // Ends run() with `aborted`, whatever it is at, and keeps it from going on.
  void abort() noexcept;

 private:
  // One attempt's failure, in words for the log.
  struct Failure {
    DialOutcome outcome = DialOutcome::unreachable;
    std::string why;
  };

  Awaitable<std::optional<Failure>> try_one(const config::Backend& backend);
  Awaitable<std::optional<Failure>> reach(const config::Backend& backend);
  Awaitable<std::optional<Failure>> connect_to_first(
      std::vector<asio::generic::stream_protocol::endpoint> endpoints);
  Awaitable<std::optional<Failure>> greet();
  std::optional<Failure> judge_greeting(Bytes payload);
  void stop_attempt() noexcept;

  const ServerState& state_;
  const ProxiedClient& client_;
  std::optional<Stream>& slot_;
  Log& log_;
  std::optional<NameLookup> lookup_;
  bool aborted_ = false;
  Dialed dialed_;
};

}  // namespace gatehouse::mariadb
