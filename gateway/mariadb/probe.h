// Tries one backend as a session would, and says what it found: for `check --connect`, and for what
// no session finds out (backend_watch.h).
#pragma once

#include <cstddef>
#include <string>

#include "gateway/net/asio.h"
#include "gateway/snapshot.h"

namespace gatehouse::mariadb {

struct Probe {
  bool good = false;
  std::string text;  // "MariaDB 10.11.19, TLSv1.3", or what is wrong
};

// Done in two dial_timeouts at most; what it finds is also remembered in state.backends. Ends the
// login as one of a user that does not exist, so that the backend does not count it as a broken
// handshake. `state` and what it points to must outlive the result.
Awaitable<Probe> probe(const ServerState& state, std::size_t backend);
// The same, blocking.
[[nodiscard]] Probe probe_now(const ServerState& state, std::size_t backend);

}  // namespace gatehouse::mariadb
