#include "bench/tool/samples.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gatehouse::bench {

namespace {

constexpr double samples_beyond = 10;

// The smallest value that is not less than this part of all (nearest rank).
double at(const std::vector<double>& sorted, double part) {
  const double rank = std::ceil(part * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace

std::size_t Samples::count() const noexcept {
  std::size_t count = 0;
  for (const auto& round : rounds_) count += round.size();
  return count;
}

std::vector<double> Samples::sorted() const {
  std::vector<double> all;
  all.reserve(count());
  for (const auto& round : rounds_) all.insert(all.end(), round.begin(), round.end());
  std::sort(all.begin(), all.end());
  return all;
}

std::optional<double> Samples::percentile(double part) const {
  if (static_cast<double>(count()) * (1 - part) < samples_beyond) return std::nullopt;
  return at(sorted(), part);
}

std::optional<double> Samples::maximum() const {
  if (count() == 0) return std::nullopt;
  return sorted().back();
}

std::vector<double> Samples::medians() const {
  std::vector<double> medians;
  for (const auto& round : rounds_) {
    if (const auto value = median(round)) medians.push_back(*value);
  }
  return medians;
}

std::optional<double> median(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  return at(values, 0.5);
}

std::optional<double> spread(const std::vector<double>& values) {
  if (values.size() < 2) return std::nullopt;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return (*most - *least) / *median(values);
}

std::optional<double> paired_ratio(const std::vector<double>& of, const std::vector<double>& to) {
  if (of.size() != to.size()) return std::nullopt;
  std::vector<double> ratios;
  for (std::size_t round = 0; round < of.size(); ++round) {
    if (to[round] > 0) ratios.push_back(of[round] / to[round]);
  }
  return median(std::move(ratios));
}

}  // namespace gatehouse::bench
