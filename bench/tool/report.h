// What a run found, and the ways to show it.
#pragma once

#include <string>
#include <vector>

#include "bench/tool/samples.h"

namespace gatehouse::bench {

struct Quantity {
  std::string name;
  Samples samples;  // in microseconds
};

struct Measured {
  std::string target;
  std::vector<Quantity> quantities;  // the same ones in the same order for each target
};

struct Report {
  std::string command;               // with its settings, as a person would type it
  std::vector<std::string> machine;  // a line each
  std::vector<Measured> targets;     // ratios are to the first
};

// What makes the figures doubtful: a line each; none on a quiet machine.
[[nodiscard]] std::vector<std::string> doubts(const Report& report);
// The processor, the kernel, the library that does TLS.
[[nodiscard]] std::vector<std::string> this_machine();

[[nodiscard]] std::string as_table(const Report& report);
[[nodiscard]] std::string as_json(const Report& report);
// One page that needs nothing else: percentile curves and what stages take.
[[nodiscard]] std::string as_html(const Report& report);

// Shared by the three: what is shown of each quantity.
struct Percentile {
  const char* name;
  double part;
};
inline constexpr Percentile percentiles[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};

}  // namespace gatehouse::bench
