// Opens a connection to one of a cluster's nodes, with TLS from its first byte where the server has
// it. Nothing is said on it: in this protocol the client begins, and no PROXY header goes before.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "gateway/cassandra/candidate.h"
#include "gateway/net/reach.h"
#include "gateway/observe/log.h"
#include "gateway/snapshot.h"

namespace gatehouse::cassandra {

enum class DialOutcome {
  connected,
  unreachable,  // none took a connection in time, or there was none
  untrusted,    // none was left but one with a certificate that is wrong
  aborted,
};

struct Dialed {
  DialOutcome outcome = DialOutcome::unreachable;
  std::size_t candidate = 0;  // index of the last one tried
  std::string why;            // of the last failure, for operators only
};

// Each attempt is at most server.dial_timeout long: name, address and TLS. What it teaches of a
// node is kept in state.cluster, and of one that the configuration names in state.backends.
class Dial {
 public:
  // `state` and what it points to, `slot` and `log` must outlive this. The connection being made
  // stands in `slot`; after `connected` it is the node's. Whoever owns `slot` holds state.tls for
  // as long.
  Dial(const ServerState& state, std::optional<Stream>& slot, Log& log);

  // For a session: in their order, until one is connected. `candidates` must outlive the result.
  Awaitable<Dialed> run(const std::vector<Candidate>& candidates);
  // That one alone. Only a failure is remembered, and none is logged: its caller has yet to see it
  // answer. `candidate` must outlive the result.
  Awaitable<Dialed> run_only(const Candidate& candidate);
  // Ends either with `aborted`, whatever it is at, and keeps it from going on.
  void abort() noexcept;

 private:
  struct Failure {
    DialOutcome outcome = DialOutcome::unreachable;
    std::string why{};
    bool is_ours = false;  // this process lacks something; the node is not to blame
  };

  Awaitable<bool> attempt(const Candidate& candidate);
  Awaitable<std::optional<Failure>> try_one(const Candidate& candidate);
  Awaitable<std::optional<Failure>> reach_and_secure(const Candidate& candidate);

  const ServerState& state_;
  std::optional<Stream>& slot_;
  Log& log_;
  Reach reach_;
  bool aborted_ = false;
  Dialed dialed_;
};

// Remembers how an attempt came out that somebody else has seen through to its end.
void remember(const ServerState& state, const Candidate& candidate, bool answered);

}  // namespace gatehouse::cassandra
