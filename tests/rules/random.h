// Random numbers for property tests: the same in every run unless GATEHOUSE_TEST_SEED says
// otherwise, and printed, so that a failure can be had again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "rules/policy.h"

namespace gatehouse::rules::test {

class Random {
 public:
  Random();

  // Of [0, bound).
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  std::uint64_t bits() { return engine_(); }
  template <typename T>
  const T& pick(const std::vector<T>& values) {
    return values[below(values.size())];
  }
  std::mt19937_64& engine() { return engine_; }

 private:
  std::mt19937_64 engine_;
};

// A world so small that everything meets everything else: 40 addresses of either family and the
// ends of their spaces, four networks, twenty seconds.
inline constexpr std::uint32_t network_count = 4;
IpAddress random_address(Random& random);
IpRange random_range(Random& random);
Window random_window(Random& random);
Time random_time(Random& random);
Arrival random_arrival(Random& random);
Rule random_rule(Random& random, RuleKind kind, std::string name);
// Up to `most` rules of all kinds; their names are in no order.
PolicySpec random_policy(Random& random, std::size_t most);

// For messages about what went wrong.
std::string to_text(const PolicySpec& spec);
std::string to_text(const Facts& facts);
std::string to_text(const Decision& decision);

}  // namespace gatehouse::rules::test
