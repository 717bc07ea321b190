// Exact percentiles of measurements that were taken in rounds.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace gatehouse::bench {

// Of one quantity at one target, each in microseconds. Every sample is kept: nothing is estimated.
class Samples {
 public:
  // What is added from now on belongs to another round.
  void begin_round() { rounds_.emplace_back(); }
  // REQUIRES: a round was begun.
  void add(double value) { rounds_.back().push_back(value); }
  void add_round(std::vector<double> values) { rounds_.push_back(std::move(values)); }

  [[nodiscard]] std::size_t count() const noexcept;
  // `part`: of 1, as 0.99. No value: fewer than ten samples lie beyond it, so it would be one
  // outlier or another.
  [[nodiscard]] std::optional<double> percentile(double part) const;
  // No value: there is no sample.
  [[nodiscard]] std::optional<double> maximum() const;
  // The medians of the rounds that have samples.
  [[nodiscard]] std::vector<double> medians() const;

 private:
  [[nodiscard]] std::vector<double> sorted() const;

  std::vector<std::vector<double>> rounds_;
};

// Of values that are one for each round. None of these has a value where there is none.
[[nodiscard]] std::optional<double> median(std::vector<double> values);
// How far they lie apart, as a part of their median. No value: fewer than two.
[[nodiscard]] std::optional<double> spread(const std::vector<double>& values);
// The median over rounds of the ratio between two of the same round: what a machine that is slower
// in some rounds does not change. No value: they have not the same rounds.
[[nodiscard]] std::optional<double> paired_ratio(const std::vector<double>& of,
                                                 const std::vector<double>& to);

}  // namespace gatehouse::bench
