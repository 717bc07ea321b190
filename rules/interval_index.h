// Finds every one of many overlapping ranges that contains an address: a static interval tree laid
// out in one sorted array. Built once, then only read.
#pragma once

#include <cstddef>
#include <vector>

#include "rules/ip_address.h"

namespace gatehouse::rules {

class IntervalIndex {
 public:
  struct Entry {
    IpRange range;
    std::size_t rule = 0;  // what the caller wants back
  };

  IntervalIndex() = default;
  explicit IntervalIndex(std::vector<Entry> entries);

  // Calls `visit(rule)` for each range that contains `address`, in no particular order. The cost is
  // logarithmic in the number of ranges and linear in the number of hits.
  template <typename Visit>
  void for_each_containing(const IpAddress& address, Visit&& visit) const noexcept;

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }

 private:
  // To be filled in by the implementation: sorted by range.first, each with the greatest `last` of
  // its subtree.
  std::vector<Entry> entries_;
};

}  // namespace gatehouse::rules
