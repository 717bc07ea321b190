// What a run found, and the ways to show it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/tool/samples.h"

namespace gatehouse::bench {

struct Quantity {
  std::string name;
  Samples samples;  // in microseconds
};

// One value for each round, or for each step: percentiles of it say nothing.
struct Figure {
  std::string name;
  std::string unit;
  std::vector<double> values;  // empty: it is not known of this target
};

// The same quantities and figures in the same order for each target.
struct Measured {
  std::string target;
  std::vector<Quantity> quantities;
  std::vector<Figure> figures;  // by rounds
  std::vector<Figure> by_step;
};

struct Report {
  std::string command;               // with its settings, as a person would type it
  std::vector<std::string> machine;  // a line each
  std::vector<Measured> targets;     // ratios are to the first
  std::string step_unit;
  std::vector<double> steps;  // where something was looked at several times as it grew
};

// What makes the figures doubtful: a line each; none on a quiet machine.
[[nodiscard]] std::vector<std::string> doubts(const Report& report);
// The processor, the kernel, the library that does TLS.
[[nodiscard]] std::vector<std::string> this_machine();

[[nodiscard]] std::string as_table(const Report& report);
[[nodiscard]] std::string as_json(const Report& report);
// One page that needs nothing else: percentile curves, what stages take, and steps.
[[nodiscard]] std::string as_html(const Report& report);

// Shared by the three: what is shown of each quantity.
struct Percentile {
  const char* name;
  double part;
};
inline constexpr Percentile percentiles[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};

// What is shown of each figure. Those of a target of which it is not known have no value.
struct Summary {
  std::optional<double> median;
  std::optional<double> least;
  std::optional<double> most;
  std::optional<double> ratio;  // to the first target's
};
[[nodiscard]] Summary summary(const Figure& figure, const Figure& first);
// With as many digits as a measurement has.
[[nodiscard]] std::string in_digits(double value);

}  // namespace gatehouse::bench
