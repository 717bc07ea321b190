// What sessions cost that do nothing: opened in steps, and held.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bench/tool/rounds.h"

namespace gatehouse::bench {

struct IdleOptions {
  std::size_t sessions = 1000;  // at each target, one target after the other
  std::size_t steps = 10;
  bool is_held = false;  // until SIGINT
};

// So many are open at the end of each step.
[[nodiscard]] std::vector<double> steps_of(const IdleOptions& options);

// No value: a session failed, and `why` says at which target and how.
[[nodiscard]] std::optional<std::vector<Measured>> measure_idle(const Subjects& subjects,
                                                                const IdleOptions& options,
                                                                std::string& why);

}  // namespace gatehouse::bench
