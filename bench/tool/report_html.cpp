// A report for people who look at curves: one page, drawn here, which loads and runs nothing.
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "bench/tool/report.h"
#include "bench/tool/stages.h"

namespace gatehouse::bench {

namespace {

constexpr double width = 820;
constexpr double height = 320;
constexpr double left = 70;
constexpr double bottom = 40;
constexpr std::array<std::string_view, 8> colours{"#1b6ca8", "#c8553d", "#3a7d44", "#8e5572",
                                                  "#b68d40", "#4a4e69", "#2a9d8f", "#9d0208"};
// To the 99.99th percentile.
constexpr double nines_max = 4;

std::string_view colour(std::size_t number) {
  return colours[number % colours.size()];
}

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

using Points = std::vector<std::pair<double, double>>;

// Names below the axis, each with its place on it.
struct Axis {
  double end = 1;
  std::vector<std::pair<double, std::string>> names;
};

// Points of a percentile curve, as far as there are samples for it: nines, and microseconds.
Points curve_of(const Samples& samples) {
  Points points;
  constexpr int steps = 80;
  for (int step = 0; step <= steps; ++step) {
    const double nines = nines_max * step / steps;
    const auto value = samples.percentile(1 - std::pow(10, -nines));
    if (!value) break;
    points.emplace_back(nines, *value);
  }
  return points;
}

std::string grid(const Axis& axis, double top) {
  std::string svg;
  for (const auto& [at, name] : axis.names) {
    svg += fmt::format("<text x='{:.0f}' y='{:.0f}' text-anchor='end'>{}</text>\n",
                       left + (width - left) * at / axis.end + 20, height - 15, name);
  }
  constexpr int lines = 4;
  for (int line = 0; line <= lines; ++line) {
    const double y = (height - bottom) * (1 - line / double{lines});
    svg += fmt::format(
        "<line x1='{:.0f}' x2='{:.0f}' y1='{:.1f}' y2='{:.1f}' stroke='#ddd'/>"
        "<text x='{:.0f}' y='{:.1f}' text-anchor='end'>{}</text>\n",
        left, width, y, y, left - 8, y + 4, in_digits(top * line / lines));
  }
  return svg;
}

// A line for each target.
std::string chart(const Axis& axis, const std::vector<Points>& lines) {
  double top = 0;
  for (const Points& line : lines) {
    for (const auto& [at, value] : line) top = std::max(top, value);
  }
  if (top <= 0) return "<p>Too few samples.</p>\n";
  std::string svg = fmt::format("<svg viewBox='0 -10 {} {}'>\n", width + 30, height + 10);
  svg += grid(axis, top);
  for (std::size_t number = 0; number < lines.size(); ++number) {
    std::string points;
    for (const auto& [at, value] : lines[number]) {
      points += fmt::format("{:.1f},{:.1f} ", left + (width - left) * at / axis.end,
                            (height - bottom) * (1 - value / top));
    }
    svg += fmt::format("<polyline points='{}' fill='none' stroke-width='2' stroke='{}'/>\n", points,
                       colour(number));
  }
  return svg + "</svg>\n";
}

std::string curves(const Report& report, std::size_t at) {
  const Axis axis{.end = nines_max,
                  .names = {{0, "least"}, {1, "p90"}, {2, "p99"}, {3, "p99.9"}, {4, "p99.99"}}};
  std::vector<Points> lines;
  lines.reserve(report.targets.size());
  for (const Measured& measured : report.targets) {
    lines.push_back(curve_of(measured.quantities[at].samples));
  }
  return chart(axis, lines);
}

std::string steps(const Report& report, std::size_t at) {
  Axis axis{.end = report.steps.back(), .names = {}};
  for (const double step : report.steps) axis.names.emplace_back(step, fmt::format("{:.0f}", step));
  std::vector<Points> lines;
  for (const Measured& measured : report.targets) {
    Points points;
    const std::vector<double>& values = measured.by_step[at].values;
    for (std::size_t step = 0; step < values.size(); ++step) {
      points.emplace_back(report.steps[step], values[step]);
    }
    lines.push_back(std::move(points));
  }
  return chart(axis, lines);
}

// A bar for each target, as long as its median.
std::string figure(const Report& report, std::size_t at) {
  double longest = 0;
  std::vector<Summary> all;
  for (const Measured& measured : report.targets) {
    all.push_back(summary(measured.figures[at], report.targets.front().figures[at]));
    longest = std::max(longest, all.back().median.value_or(0));
  }
  if (longest <= 0) return {};
  std::string html =
      fmt::format("<h2>{}, {}</h2>\n", escaped(report.targets.front().figures[at].name),
                  report.targets.front().figures[at].unit);
  for (std::size_t number = 0; number < all.size(); ++number) {
    const Summary& shown = all[number];
    if (!shown.median || !shown.least || !shown.most) continue;
    html += fmt::format(
        "<div class='bar'><b>{}</b><i style='width:{:.2f}%;background:{}'></i>&nbsp;{} ({} to "
        "{})</div>\n",
        escaped(report.targets[number].target), 50 * *shown.median / longest, colour(number),
        in_digits(*shown.median), in_digits(*shown.least), in_digits(*shown.most));
  }
  return html;
}

std::string legend(const std::vector<std::string>& names) {
  std::string html = "<p>";
  for (std::size_t number = 0; number < names.size(); ++number) {
    html += fmt::format("<span style='color:{}'>&#9632;</span> {} &nbsp; ", colour(number),
                        escaped(names[number]));
  }
  return html + "</p>\n";
}

// A bar for each target, of the medians of what is measured apart.
std::string bars(const Report& report, std::size_t first) {
  double longest = 0;
  const auto median = [&](const Measured& measured, std::size_t at) {
    return measured.quantities[at].samples.percentile(0.5).value_or(0);
  };
  for (const Measured& measured : report.targets) {
    double all = 0;
    for (std::size_t at = first; at < measured.quantities.size(); ++at) all += median(measured, at);
    longest = std::max(longest, all);
  }
  if (longest <= 0) return {};
  std::string html;
  for (const Measured& measured : report.targets) {
    html += fmt::format("<div class='bar'><b>{}</b>", escaped(measured.target));
    for (std::size_t at = first; at < measured.quantities.size(); ++at) {
      html += fmt::format("<i style='width:{:.2f}%;background:{}' title='{} {:.0f} us'></i>",
                          75 * median(measured, at) / longest, colour(at - first),
                          escaped(measured.quantities[at].name), median(measured, at));
    }
    html += "</div>\n";
  }
  return html;
}

constexpr std::string_view head = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>gatehouse-bench</title><style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }
svg { width: 100%; font-size: 12px; } pre { overflow-x: auto; background: #f6f6f6; padding: 1em; }
.bar { display: flex; align-items: center; margin: .3em 0; } .bar b { width: 25%; }
.bar i { height: 1.4em; }
</style></head><body>
)";

}  // namespace

std::string as_html(const Report& report) {
  std::vector<std::string> targets;
  targets.reserve(report.targets.size());
  for (const Measured& measured : report.targets) targets.push_back(measured.target);
  const std::vector<Quantity>& quantities = report.targets.front().quantities;
  std::string html(head);
  html += fmt::format("<h1>{}</h1>\n", escaped(report.command)) + legend(targets);
  std::vector<std::string> parts;
  std::size_t first_part = quantities.size();
  for (std::size_t at = 0; at < quantities.size(); ++at) {
    const bool is_part = std::ranges::find(stage_names, quantities[at].name) != stage_names.end();
    if (is_part) {
      first_part = std::min(first_part, at);
      parts.push_back(quantities[at].name);
    } else {
      html += fmt::format("<h2>{}, microseconds</h2>\n", escaped(quantities[at].name));
      html += curves(report, at);
    }
  }
  if (!parts.empty()) {
    html += "<h2>Stages, medians</h2>\n" + legend(parts) + bars(report, first_part);
  }
  const Measured& first = report.targets.front();
  for (std::size_t at = 0; at < first.by_step.size(); ++at) {
    html += fmt::format("<h2>{}, {}, by {}</h2>\n", first.by_step[at].name, first.by_step[at].unit,
                        report.step_unit);
    html += steps(report, at);
  }
  for (std::size_t at = 0; at < first.figures.size(); ++at) html += figure(report, at);
  return html + "<h2>All figures</h2>\n<pre>" + escaped(as_table(report)) +
         "</pre>\n</body></html>\n";
}

}  // namespace gatehouse::bench
