// A report for a terminal.
#include <algorithm>

#include <fmt/format.h>

#include "bench/tool/report.h"

namespace gatehouse::bench {

namespace {

std::string cell(std::optional<double> value, int digits = 0) {
  return value ? fmt::format("{:.{}f}", *value, digits) : "-";
}

std::string ratio_to_first(const Report& report, const Measured& measured, std::size_t at) {
  const Measured& first = report.targets.front();
  if (&measured == &first) return "";
  return cell(paired_ratio(measured.quantities[at].samples, first.quantities[at].samples), 2);
}

std::string spread_of(const Samples& samples) {
  const auto spread = samples.spread();
  return spread ? fmt::format("{:.0f} %", *spread * 100) : "-";
}

}  // namespace

std::string as_table(const Report& report) {
  std::size_t width = 8;
  for (const Measured& measured : report.targets) width = std::max(width, measured.target.size());
  std::string text = report.command + '\n';
  for (const std::string& line : report.machine) text += line + '\n';
  for (std::size_t at = 0; at < report.targets.front().quantities.size(); ++at) {
    text += fmt::format("\n{:<{}}", report.targets.front().quantities[at].name + ", us", width + 2);
    for (const Percentile& percentile : percentiles) text += fmt::format("{:>9}", percentile.name);
    text += fmt::format("{:>9}{:>9}{:>9}{:>9}\n", "max", "samples", "spread", "ratio");
    for (const Measured& measured : report.targets) {
      const Samples& samples = measured.quantities[at].samples;
      text += fmt::format("  {:<{}}", measured.target, width);
      for (const Percentile& percentile : percentiles) {
        text += fmt::format("{:>9}", cell(samples.percentile(percentile.part)));
      }
      text += fmt::format("{:>9}{:>9}{:>9}{:>9}\n", cell(samples.maximum()), samples.count(),
                          spread_of(samples), ratio_to_first(report, measured, at));
    }
  }
  text += "\n-: too few samples to say. ratio: to the first target, the median over rounds.\n";
  for (const std::string& doubt : doubts(report)) text += "warning: " + doubt + '\n';
  return text;
}

}  // namespace gatehouse::bench
