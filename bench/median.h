// What is measured again and again, so that one disturbance does not count.
#pragma once

#include <algorithm>
#include <array>

namespace gatehouse::bench {

inline constexpr int rounds = 9;

// The median of what `measure` returns, a number each round.
template <typename Measure>
double median(const Measure& measure) {
  std::array<double, rounds> results{};
  for (double& result : results) result = measure();
  std::sort(results.begin(), results.end());
  return results[rounds / 2];
}

}  // namespace gatehouse::bench
