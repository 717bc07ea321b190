// How long an answer takes over a session that is there, and how many there are in a second.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bench/tool/rounds.h"

namespace gatehouse::bench {

struct QueryOptions {
  std::size_t rounds = 10;
  std::size_t requests = 2000;  // of each target in each round
  std::size_t at_once = 1;      // sessions, each of which waits for its answers
};

// No value: a session or a request failed, and `why` says at which target and how.
[[nodiscard]] std::optional<std::vector<Measured>> measure_queries(const Subjects& subjects,
                                                                   const QueryOptions& options,
                                                                   std::string& why);

}  // namespace gatehouse::bench
