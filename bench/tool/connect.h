// How long it takes to be let in: whole connections, one after the other or several at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bench/tool/rounds.h"

namespace gatehouse::bench {

struct ConnectOptions {
  std::size_t rounds = 10;
  std::size_t connections = 200;  // of each target in each round
  std::size_t at_once = 1;
  bool is_resumed = false;  // TLS; the ticket of the connection before
};

// No value: a connection failed, and `why` says at which target and how.
[[nodiscard]] std::optional<std::vector<Measured>> measure_connect(const Subjects& subjects,
                                                                   const ConnectOptions& options,
                                                                   std::string& why);

}  // namespace gatehouse::bench
