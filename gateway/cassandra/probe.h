// Asks one node whether it is there, as a driver's heartbeat does: for `check --connect`, and for
// what no session finds out (cluster_watch.h).
#pragma once

#include <cstddef>
#include <string>

#include "gateway/cassandra/candidate.h"
#include "gateway/net/asio.h"
#include "gateway/observe/log.h"
#include "gateway/snapshot.h"

namespace gatehouse::cassandra {

// Empty: it answered, which takes more than a kernel that accepts; else what is wrong, for
// operators only. Done in two dial_timeouts at most; what it finds is also remembered in
// state.cluster and state.backends. Needs no account. `state` and what it points to, `candidate`
// and `log` must outlive the result.
Awaitable<std::string> probe(const ServerState& state, const Candidate& candidate, Log& log);
// The same of one that the configuration names, blocking, and logging nothing.
[[nodiscard]] std::string probe_now(const ServerState& state, std::size_t backend);

}  // namespace gatehouse::cassandra
