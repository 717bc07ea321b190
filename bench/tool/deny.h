// What it costs to turn sources away, and what those notice of it that are let in.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bench/tool/rounds.h"

namespace gatehouse::bench {

struct DenyOptions {
  std::size_t rounds = 5;
  std::size_t seconds = 3;   // of each part of a target's turn
  std::size_t at_once = 4;   // clients that are turned away
  std::string allowed_from;  // empty: whichever address
  std::string refused_from;
  bool is_flood_alone = false;  // nobody is let in
};

// No value: a connection failed that is allowed, or one did not that is refused, and `why` says at
// which target and how.
[[nodiscard]] std::optional<std::vector<Measured>> measure_deny(const Subjects& subjects,
                                                                const DenyOptions& options,
                                                                std::string& why);

}  // namespace gatehouse::bench
