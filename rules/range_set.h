// A set of addresses as flat, sorted, disjoint ranges: built once, then only read, by any thread.
// Made for a million ranges: 8 bytes each for IPv4, and a look-up touches two or three cache lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "rules/ip_address.h"

namespace gatehouse::rules {

// Ranges of one family, kept apart so that IPv4, the common case, costs 8 bytes a range.
template <typename Number>
struct NumberRange {
  Number first;
  Number last;  // inclusive
  friend auto operator<=>(const NumberRange&, const NumberRange&) = default;
};
using V4Range = NumberRange<std::uint32_t>;
using V6Range = NumberRange<Bits128>;

[[nodiscard]] constexpr IpRange to_ip_range(const V4Range& range) {
  return {.first = IpAddress::v4(range.first), .last = IpAddress::v4(range.last)};
}
[[nodiscard]] constexpr IpRange to_ip_range(const V6Range& range) {
  return {.first = IpAddress::v6_border(range.first), .last = IpAddress::v6_border(range.last)};
}

class RangeSet {
 public:
  RangeSet() = default;
  explicit RangeSet(const IpRange& range);
  explicit RangeSet(const std::vector<IpRange>& ranges);
  // Takes the vectors over, in any order and overlapping as they may be, and sorts and joins them:
  // this is how a list of a million lines is loaded. Sorting IPv4 takes as much again for a moment.
  RangeSet(std::vector<V4Range> v4, std::vector<V6Range> v6);

  [[nodiscard]] bool contains(const IpAddress& address) const noexcept;

  // The range nearest to `address` among those of its family: one that contains it if any does.
  // Unset: no range of that family.
  [[nodiscard]] std::optional<IpRange> nearest(const IpAddress& address) const noexcept;

  [[nodiscard]] bool empty() const noexcept { return v4_.empty() && v6_.empty(); }
  // Disjoint ranges held, adjacent ones joined.
  [[nodiscard]] std::size_t size() const noexcept { return v4_.size() + v6_.size(); }
  [[nodiscard]] const std::vector<V4Range>& v4() const noexcept { return v4_; }
  [[nodiscard]] const std::vector<V6Range>& v6() const noexcept { return v6_; }
  // Held on the heap.
  [[nodiscard]] std::size_t bytes() const noexcept {
    return v4_.capacity() * sizeof(V4Range) + v6_.capacity() * sizeof(V6Range) +
           first_with_prefix_.capacity() * sizeof(std::uint32_t);
  }
  friend bool operator==(const RangeSet& a, const RangeSet& b) noexcept {
    return a.v4_ == b.v4_ && a.v6_ == b.v6_;
  }

 private:
  void build();

  std::vector<V4Range> v4_;  // sorted by first, disjoint, not adjacent
  std::vector<V6Range> v6_;
  // first_with_prefix_[p]: index in v4_ of the first range whose last >= p << 16. 2^16 + 1 entries
  // for large sets, empty for small ones, where a plain binary search is as quick.
  std::vector<std::uint32_t> first_with_prefix_;
};

}  // namespace gatehouse::rules
