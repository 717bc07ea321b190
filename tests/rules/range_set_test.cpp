#include "rules/range_set.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/rules/build.h"
#include "tests/rules/random.h"

namespace gatehouse::rules {
namespace {

using test::address;
using test::range;

static_assert(noexcept(std::declval<const RangeSet&>().contains(IpAddress())));
static_assert(noexcept(std::declval<const RangeSet&>().nearest(IpAddress())));
static_assert(sizeof(V4Range) == 8, "8 bytes a range");

TEST_CASE("a set joins what overlaps or touches, whatever the order", "[rules]") {
  const RangeSet set({range("10.0.0.8/29"), range("10.0.0.0/29"), range("10.0.0.4-10.0.0.9"),
                      range("10.0.1.0/24"), range("192.0.2.1"), range("::5-::7"), range("::8"),
                      range("::6"), range("::a")});
  REQUIRE(set.v4().size() == 3);
  CHECK(to_ip_range(set.v4()[0]) == range("10.0.0.0/28"));
  CHECK(to_ip_range(set.v4()[1]) == range("10.0.1.0/24"));
  CHECK(to_ip_range(set.v4()[2]) == range("192.0.2.1"));
  REQUIRE(set.v6().size() == 2);
  CHECK(to_ip_range(set.v6()[0]) == range("::5-::8"));
  CHECK(set.size() == 5);
}

TEST_CASE("the last address of a family touches nothing", "[rules]") {
  const RangeSet set({range("255.255.255.255"), range("0.0.0.0-0.0.0.1"),
                      range("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), range("::-::1")});
  CHECK(set.v4().size() == 2);
  CHECK(set.v6().size() == 2);
  CHECK(RangeSet({range("0.0.0.0/0"), range("255.0.0.0/8")}).size() == 1);
  CHECK(RangeSet(all_v6).contains(address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")));
}

TEST_CASE("an empty set contains nothing and has nothing near", "[rules]") {
  const RangeSet set;
  CHECK(set.empty());
  CHECK_FALSE(set.contains(address("10.0.0.1")));
  CHECK_FALSE(set.contains(address("::1")));
  CHECK_FALSE(set.nearest(address("10.0.0.1")));
  CHECK_FALSE(RangeSet(range("10.0.0.1")).nearest(address("::1")));
}

TEST_CASE("the nearest range is the one that contains the address, else the closer one",
          "[rules]") {
  const RangeSet set({range("10.0.0.10-10.0.0.20"), range("10.0.0.30-10.0.0.40")});
  const auto nearest = [&](const char* text) { return *set.nearest(address(text)); };
  CHECK(nearest("10.0.0.15") == range("10.0.0.10-10.0.0.20"));
  CHECK(nearest("9.0.0.1") == range("10.0.0.10-10.0.0.20"));
  CHECK(nearest("10.0.0.24") == range("10.0.0.10-10.0.0.20"));
  CHECK(nearest("10.0.0.25") == range("10.0.0.10-10.0.0.20"));
  CHECK(nearest("10.0.0.26") == range("10.0.0.30-10.0.0.40"));
  CHECK(nearest("200.0.0.1") == range("10.0.0.30-10.0.0.40"));
}

// Counts for each of 2^bits addresses, from `base` on, whether a set should contain it.
struct Marks {
  static constexpr std::uint32_t count = 1U << 20;
  std::uint32_t base = 0;
  std::vector<bool> marked = std::vector<bool>(count, false);

  void mark(const V4Range& range) {
    for (std::uint32_t i = range.first - base; i <= range.last - base; ++i) marked[i] = true;
  }
};

TEST_CASE("a set contains exactly what was put in, large enough for its index or not", "[rules]") {
  test::Random random;
  // Across the borders of sixteen /16, at either end of the space and in the middle.
  const auto base = GENERATE(0U, 0x0a080000U, 0xfff00000U);
  const auto ranges = GENERATE(1U, 60U, 3000U, 30000U);
  CAPTURE(base, ranges);
  Marks marks{.base = base};
  std::vector<V4Range> v4;
  for (std::uint32_t i = 0; i < ranges; ++i) {
    const auto first = static_cast<std::uint32_t>(random.below(Marks::count));
    // Mostly short, now and then over several /16.
    const std::uint64_t longest = random.one_in(ranges) ? Marks::count : 16;
    const auto last = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(first + random.below(longest), Marks::count - 1));
    v4.push_back({base + first, base + last});
    marks.mark(v4.back());
  }
  const RangeSet set(std::move(v4), {});
  std::uint32_t wrong = 0;
  for (std::uint32_t i = 0; i < Marks::count; ++i) {
    if (set.contains(IpAddress::v4(base + i)) != marks.marked[i]) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK_FALSE(set.contains(IpAddress::v4(base - 1)));
  CHECK_FALSE(set.contains(IpAddress::v4(base + Marks::count)));
  const auto is_apart = [](const V4Range& a, const V4Range& b) { return a.last + 1 < b.first; };
  CHECK(std::adjacent_find(set.v4().begin(), set.v4().end(), [&](const auto& a, const auto& b) {
          return !is_apart(a, b);
        }) == set.v4().end());
}

TEST_CASE("random sets of both families agree with asking each range", "[rules]") {
  test::Random random;
  for (int round = 0; round < 5000; ++round) {
    std::vector<IpRange> ranges(random.below(8));
    for (IpRange& one : ranges) one = test::random_range(random);
    const RangeSet set(ranges);
    for (int i = 0; i < 50; ++i) {
      const IpAddress asked = test::random_address(random);
      const bool want = std::any_of(ranges.begin(), ranges.end(),
                                    [&](const IpRange& one) { return one.contains(asked); });
      if (set.contains(asked) != want) FAIL(asked.to_string());
      const auto nearest = set.nearest(asked);
      if (want && !(nearest && nearest->contains(asked))) FAIL(asked.to_string());
    }
  }
  SUCCEED();
}

TEST_CASE("a large set that is sorted already equals the same one shuffled", "[rules]") {
  test::Random random;
  std::vector<V4Range> sorted;
  for (std::uint32_t i = 0; i < 100000; ++i) sorted.push_back({i * 40000, i * 40000 + 20000});
  std::vector<V4Range> shuffled = sorted;
  std::shuffle(shuffled.begin(), shuffled.end(), random.engine());
  const RangeSet a(sorted, {});
  CHECK(a == RangeSet(shuffled, {}));
  CHECK(a.v4() == sorted);
  CHECK(a.bytes() < 100000 * 8 * 9 / 8 + 65537 * 4);
}

}  // namespace
}  // namespace gatehouse::rules
