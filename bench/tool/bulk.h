// How many bytes come over sessions that are there, and what they cost.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bench/tool/rounds.h"

namespace gatehouse::bench {

struct BulkOptions {
  std::size_t rounds = 10;
  std::size_t megabytes = 200;  // of a million bytes; of each target in each round
  std::size_t at_once = 1;      // sessions
};

// No value: a session or an answer failed, and `why` says at which target and how.
[[nodiscard]] std::optional<std::vector<Measured>> measure_bulk(const Subjects& subjects,
                                                                const BulkOptions& options,
                                                                std::string& why);

}  // namespace gatehouse::bench
