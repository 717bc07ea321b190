// A report for a program.
#include <boost/json.hpp>

#include "bench/tool/report.h"

namespace gatehouse::bench {

namespace {

namespace json = boost::json;

json::value value_of(std::optional<double> value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::array texts(const std::vector<std::string>& lines) {
  return json::array(lines.begin(), lines.end());
}

json::array numbers(const std::vector<double>& values) {
  return json::array(values.begin(), values.end());
}

json::object of(const Samples& samples, const Samples& first) {
  json::object object{{"samples", samples.count()}};
  for (const Percentile& percentile : percentiles) {
    object[percentile.name] = value_of(samples.percentile(percentile.part));
  }
  const std::vector<double> medians = samples.medians();
  object["max"] = value_of(samples.maximum());
  object["spread"] = value_of(spread(medians));
  object["ratio"] = value_of(paired_ratio(medians, first.medians()));
  object["medians_of_rounds"] = numbers(medians);
  return object;
}

json::object of(const Figure& figure, const Figure& first) {
  const Summary shown = summary(figure, first);
  return {{"unit", figure.unit},
          {"median", value_of(shown.median)},
          {"least", value_of(shown.least)},
          {"most", value_of(shown.most)},
          {"ratio", value_of(shown.ratio)},
          {"rounds", numbers(figure.values)}};
}

json::object of(const Measured& measured, const Measured& first) {
  json::object quantities;
  for (std::size_t at = 0; at < measured.quantities.size(); ++at) {
    quantities[measured.quantities[at].name] =
        of(measured.quantities[at].samples, first.quantities[at].samples);
  }
  json::object figures;
  for (std::size_t at = 0; at < measured.figures.size(); ++at) {
    figures[measured.figures[at].name] = of(measured.figures[at], first.figures[at]);
  }
  json::object by_step;
  for (const Figure& figure : measured.by_step) {
    by_step[figure.name] = json::object{{"unit", figure.unit}, {"steps", numbers(figure.values)}};
  }
  return {{"target", measured.target},
          {"microseconds", std::move(quantities)},
          {"figures", std::move(figures)},
          {"by_step", std::move(by_step)}};
}

}  // namespace

std::string as_json(const Report& report) {
  json::array targets;
  for (const Measured& measured : report.targets) {
    targets.push_back(of(measured, report.targets.front()));
  }
  return json::serialize(json::object{{"command", report.command},
                                      {"machine", texts(report.machine)},
                                      {"steps", numbers(report.steps)},
                                      {"targets", std::move(targets)},
                                      {"doubts", texts(doubts(report))}}) +
         '\n';
}

}  // namespace gatehouse::bench
