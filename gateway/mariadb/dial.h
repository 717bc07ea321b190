// Opens a connection to one of a server's backends, reads its greeting, and starts TLS where that
// does not depend on what a client has yet to say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/mariadb/greeting.h"
#include "gateway/mariadb/login.h"
#include "gateway/mariadb/packet_io.h"
#include "gateway/net/reach.h"
#include "gateway/observe/log.h"
#include "gateway/snapshot.h"

namespace gatehouse::mariadb {

enum class DialOutcome {
  connected,
  too_many_connections,  // the backend said so (1040)
  unreachable,           // none answered in time, or with something else than a greeting
  untrusted,             // none was left but one without TLS, or with a certificate that is wrong
  aborted,
};

struct Dialed {
  DialOutcome outcome = DialOutcome::unreachable;
  std::size_t backend = 0;  // index in server.backends, of the last one tried
  Greeting greeting;
  Packet packet;  // the greeting as it came
  // The request for TLS as it was sent: its capabilities govern the login that is due. Set where
  // TLS is up; after `aborted` also where it was about to be.
  std::optional<LoginPrefix> tls;
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

// The way to a backend: each attempt is at most server.dial_timeout long: name, address, PROXY
// header, greeting, TLS. What it teaches of a backend is kept in state.backends. Why one failed
// goes to the log, never to a client.
class Dial {
 public:
  // `state` and what it points to, `slot` and `log` must outlive this. The connection being made
  // stands in `slot`; after `connected` it is the backend's. `start_tls`: where the server has TLS,
  // it is part of the attempt, asked for in these words as far as the backend's greeting has them
  // too; whoever owns `slot` then also holds state.tls for as long.
  Dial(const ServerState& state, const ProxiedClient& client, std::optional<Stream>& slot, Log& log,
       const std::optional<LoginPrefix>& start_tls = std::nullopt);

  // run() or run_only(), once.
  // For a session: the server's backends as next_backend() has them, until one is connected.
  Awaitable<Dialed> run();
  // That backend alone, whatever is known of it. Only a failure is remembered: its caller has yet
  // to see the login answered.
  Awaitable<Dialed> run_only(std::size_t backend);
  // Ends either with `aborted`, whatever it is at, and keeps it from going on.
  void abort() noexcept;

 private:
  // One attempt's failure, in words for the log.
  struct Failure {
    DialOutcome outcome = DialOutcome::unreachable;
    std::string why;
    bool is_ours = false;  // this process lacks something; the backend is not to blame
  };

  Awaitable<bool> attempt(std::size_t backend);
  void remember(const Failure& failure);
  Awaitable<std::optional<Failure>> try_one(const config::Backend& backend);
  Awaitable<std::optional<Failure>> reach_and_greet(const config::Backend& backend);
  Awaitable<std::optional<Failure>> greet();
  [[nodiscard]] Failure not_greeted(std::string_view how) const;
  Awaitable<std::optional<Failure>> secure();
  std::optional<Failure> judge_greeting(Bytes payload);

  const ServerState& state_;
  const ProxiedClient& client_;
  std::optional<Stream>& slot_;
  Log& log_;
  std::optional<LoginPrefix> start_tls_;
  Reach reach_;
  bool aborted_ = false;
  Dialed dialed_;
};

}  // namespace gatehouse::mariadb
