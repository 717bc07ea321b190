// Percentiles are exact, or not given.
#include "bench/tool/samples.h"

#include <catch2/catch.hpp>

namespace gatehouse::bench {

namespace {

// Rounds of values from 1 on, in another order than theirs.
Samples of(int rounds, int values) {
  Samples samples;
  for (int round = 0; round < rounds; ++round) {
    samples.begin_round();
    for (int value = values; value > 0; --value) samples.add(value);
  }
  return samples;
}

}  // namespace

TEST_CASE("a percentile is a sample: the least that as many are not above") {
  const Samples samples = of(1, 1000);
  CHECK(samples.percentile(0) == 1);
  CHECK(samples.percentile(0.5) == 500);
  CHECK(samples.percentile(0.9) == 900);
  CHECK(samples.percentile(0.99) == 990);
  CHECK(samples.maximum() == 1000);
}

TEST_CASE("a percentile with fewer than ten samples beyond it is not given") {
  CHECK(of(1, 19).percentile(0.5) == std::nullopt);
  CHECK(of(1, 20).percentile(0.5) == 10);
  CHECK(of(1, 999).percentile(0.99) == std::nullopt);
  CHECK(of(1, 9999).percentile(0.999) == std::nullopt);
  CHECK(of(1, 10'000).percentile(0.999) == 9990);
  CHECK(Samples().percentile(0) == std::nullopt);
  CHECK(Samples().maximum() == std::nullopt);
}

TEST_CASE("all rounds count") {
  const Samples samples = of(3, 100);
  CHECK(samples.count() == 300);
  CHECK(samples.percentile(0.5) == 50);
  CHECK(samples.medians() == std::vector<double>{50, 50, 50});
}

TEST_CASE("the spread is how far the rounds' medians lie apart") {
  CHECK(spread(of(1, 100).medians()) == std::nullopt);
  CHECK(spread(of(2, 100).medians()) == 0);
  CHECK(spread({50, 75}) == Approx(0.5));  // the median of both is 50
}

TEST_CASE("a ratio is taken round by round, so that a slow round does not count twice") {
  CHECK(paired_ratio({100, 20, 8}, {50, 10, 4}) == Approx(2));
  CHECK(paired_ratio({100, 20, 80}, {50, 10, 4}) == Approx(2));
  CHECK(paired_ratio({1, 2}, {1, 2, 3}) == std::nullopt);
  CHECK(paired_ratio({}, {}) == std::nullopt);
}

}  // namespace gatehouse::bench
