// A report for a terminal.
#include <algorithm>

#include <fmt/format.h>

#include "bench/tool/report.h"

namespace gatehouse::bench {

namespace {

std::string cell(std::optional<double> value) {
  return value ? in_digits(*value) : "-";
}

std::string whole(std::optional<double> value) {
  return value ? fmt::format("{:.0f}", *value) : "-";
}

// Of the first target to itself there is nothing to say.
std::string ratio_cell(bool is_first, std::optional<double> ratio) {
  if (is_first) return "";
  return ratio ? fmt::format("{:.2f}", *ratio) : "-";
}

std::string spread_of(const std::vector<double>& medians) {
  const auto apart = spread(medians);
  return apart ? fmt::format("{:.0f} %", *apart * 100) : "-";
}

class Table {
 public:
  explicit Table(const Report& report) : report_(report), first_(report.targets.front()) {
    for (const Measured& measured : report.targets)
      width_ = std::max(width_, measured.target.size());
  }

  void add_quantity(std::size_t at) {
    begin(first_.quantities[at].name + ", us");
    for (const Percentile& percentile : percentiles) add_cell(percentile.name);
    for (const char* const name : {"max", "samples", "spread", "ratio"}) add_cell(name);
    for (const Measured& measured : report_.targets) {
      const Samples& samples = measured.quantities[at].samples;
      const std::vector<double> medians = samples.medians();
      begin_target(measured);
      for (const Percentile& percentile : percentiles) {
        add_cell(whole(samples.percentile(percentile.part)));
      }
      add_cell(whole(samples.maximum()));
      add_cell(std::to_string(samples.count()));
      add_cell(spread_of(medians));
      add_cell(ratio_cell(&measured == &first_,
                          paired_ratio(medians, first_.quantities[at].samples.medians())));
    }
    text_ += '\n';
  }

  void add_figure(std::size_t at) {
    begin(fmt::format("{}, {}", first_.figures[at].name, first_.figures[at].unit));
    for (const char* const name : {"median", "least", "most", "ratio"}) add_cell(name);
    for (const Measured& measured : report_.targets) {
      const Summary shown = summary(measured.figures[at], first_.figures[at]);
      begin_target(measured);
      add_cell(cell(shown.median));
      add_cell(cell(shown.least));
      add_cell(cell(shown.most));
      add_cell(ratio_cell(&measured == &first_, shown.ratio));
    }
    text_ += '\n';
  }

  void add_steps(std::size_t at) {
    begin(fmt::format("{}, {}, by {}", first_.by_step[at].name, first_.by_step[at].unit,
                      report_.step_unit));
    for (const double step : report_.steps) add_cell(whole(step));
    for (const Measured& measured : report_.targets) {
      begin_target(measured);
      for (const double value : measured.by_step[at].values) add_cell(cell(value));
    }
    text_ += '\n';
  }

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  // Every part has the same columns, so that names of targets stand below each other.
  void begin(const std::string& title) {
    const std::size_t title_width = width_ + 2;
    text_ += title.size() <= title_width ? fmt::format("\n{:<{}}", title, title_width)
                                         : fmt::format("\n{}\n{:<{}}", title, "", title_width);
  }
  void begin_target(const Measured& measured) {
    text_ += fmt::format("\n  {:<{}}", measured.target, width_);
  }
  void add_cell(const std::string& content) { text_ += fmt::format("{:>9}", content); }

  const Report& report_;
  const Measured& first_;
  std::size_t width_ = 8;
  std::string text_;
};

}  // namespace

std::string as_table(const Report& report) {
  const Measured& first = report.targets.front();
  Table table(report);
  for (std::size_t at = 0; at < first.quantities.size(); ++at) table.add_quantity(at);
  for (std::size_t at = 0; at < first.figures.size(); ++at) table.add_figure(at);
  for (std::size_t at = 0; at < first.by_step.size(); ++at) table.add_steps(at);
  std::string text = report.command + '\n';
  for (const std::string& line : report.machine) text += line + '\n';
  text += table.text();
  text +=
      "\n-: not known, or too few samples to say. ratio: to the first target, the median over "
      "rounds.\n";
  for (const std::string& doubt : doubts(report)) text += "warning: " + doubt + '\n';
  return text;
}

}  // namespace gatehouse::bench
