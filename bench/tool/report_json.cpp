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

json::object of(const Samples& samples, const Samples& first) {
  json::object object{{"samples", samples.count()}};
  for (const Percentile& percentile : percentiles) {
    object[percentile.name] = value_of(samples.percentile(percentile.part));
  }
  object["max"] = value_of(samples.maximum());
  object["spread"] = value_of(samples.spread());
  object["ratio"] = value_of(paired_ratio(samples, first));
  const std::vector<double> medians = samples.medians();
  object["medians_of_rounds"] = json::array(medians.begin(), medians.end());
  return object;
}

}  // namespace

std::string as_json(const Report& report) {
  json::array targets;
  for (const Measured& measured : report.targets) {
    json::object quantities;
    for (std::size_t at = 0; at < measured.quantities.size(); ++at) {
      quantities[measured.quantities[at].name] =
          of(measured.quantities[at].samples, report.targets.front().quantities[at].samples);
    }
    targets.push_back({{"target", measured.target}, {"microseconds", std::move(quantities)}});
  }
  return json::serialize(json::object{{"command", report.command},
                                      {"machine", texts(report.machine)},
                                      {"targets", std::move(targets)},
                                      {"doubts", texts(doubts(report))}}) +
         '\n';
}

}  // namespace gatehouse::bench
