#include "rules/interval_index.h"

#include <algorithm>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/rules/build.h"
#include "tests/rules/random.h"

namespace gatehouse::rules {
namespace {

std::vector<std::size_t> containing(const IntervalIndex& index, const IpAddress& address) {
  std::vector<std::size_t> rules;
  index.for_each_containing(
      address, [&](const IntervalIndex::Entry& entry) { rules.push_back(entry.rule); });
  std::sort(rules.begin(), rules.end());
  return rules;
}

TEST_CASE("an index without ranges finds nothing", "[rules]") {
  CHECK(containing(IntervalIndex(), test::address("10.0.0.1")).empty());
}

TEST_CASE("an index finds every range that contains an address and no other", "[rules]") {
  test::Random random;
  for (int round = 0; round < 3000; ++round) {
    std::vector<IntervalIndex::Entry> entries(random.below(random.one_in(50) ? 500 : 20));
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i] = {.range = test::random_range(random), .rule = i};
    }
    const IntervalIndex index(entries);
    for (int i = 0; i < 40; ++i) {
      const IpAddress asked = test::random_address(random);
      std::vector<std::size_t> want;
      for (const IntervalIndex::Entry& entry : entries) {
        if (entry.range.contains(asked)) want.push_back(entry.rule);
      }
      if (containing(index, asked) != want) FAIL(asked.to_string());
    }
  }
  SUCCEED();
}

}  // namespace
}  // namespace gatehouse::rules
