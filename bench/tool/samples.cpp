#include "bench/tool/samples.h"

#include <algorithm>
#include <cmath>

namespace gatehouse::bench {

namespace {

constexpr double samples_beyond = 10;

// The smallest value that is not less than this part of all (nearest rank).
double at(const std::vector<double>& sorted, double part) {
  const double rank = std::ceil(part * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return at(values, 0.5);
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
    if (!round.empty()) medians.push_back(median(round));
  }
  return medians;
}

std::optional<double> Samples::spread() const {
  const std::vector<double> of_rounds = medians();
  if (of_rounds.size() < 2) return std::nullopt;
  const auto [least, most] = std::minmax_element(of_rounds.begin(), of_rounds.end());
  return (*most - *least) / median(of_rounds);
}

std::optional<double> paired_ratio(const Samples& of, const Samples& to) {
  const std::vector<double> one = of.medians();
  const std::vector<double> other = to.medians();
  if (one.empty() || one.size() != other.size()) return std::nullopt;
  std::vector<double> ratios;
  for (std::size_t round = 0; round < one.size(); ++round) {
    if (other[round] > 0) ratios.push_back(one[round] / other[round]);
  }
  if (ratios.empty()) return std::nullopt;
  return median(std::move(ratios));
}

}  // namespace gatehouse::bench
