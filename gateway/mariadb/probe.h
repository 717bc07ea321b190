// Tries one backend as a session would, and says what it found: for `check --connect`.
#pragma once

#include <cstddef>
#include <string>

#include "gateway/snapshot.h"

namespace gatehouse::mariadb {

struct Probe {
  bool good = false;
  std::string text;  // "MariaDB 10.11.19, TLSv1.3", or what is wrong
};

// Blocks until done, a few times dial_timeout at most. Ends the login as one of a user that does
// not exist, so that the backend does not count it as a broken handshake.
[[nodiscard]] Probe probe(const ServerState& state, std::size_t backend);

}  // namespace gatehouse::mariadb
