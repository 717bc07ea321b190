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

  // Calls `visit(entry)` for each range that contains `address`, in the order of their starts.
  // Costs a logarithm of the number of ranges, once and for each hit. REQUIRES: `visit` does not
  // throw.
  template <typename Visit>
  void for_each_containing(const IpAddress& address, const Visit& visit) const noexcept {
    visit_subtree(0, entries_.size(), address, visit);
  }

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }

 private:
  // The tree is implicit: the root of [begin, end) is its middle, its children the middles of both
  // halves. So the depth is that of a balanced tree, and recursion ends within 64 steps.
  static constexpr std::size_t middle(std::size_t begin, std::size_t end) {
    return begin + (end - begin) / 2;
  }
  void find_latest(std::size_t begin, std::size_t end);

  template <typename Visit>
  void visit_subtree(std::size_t begin, std::size_t end, const IpAddress& address,
                     const Visit& visit) const noexcept {
    if (begin == end) return;
    const std::size_t root = middle(begin, end);
    if (latest_[root] < address) return;
    visit_subtree(begin, root, address, visit);
    const Entry& entry = entries_[root];
    if (address < entry.range.first) return;
    if (address <= entry.range.last) visit(entry);
    visit_subtree(root + 1, end, address, visit);
  }

  std::vector<Entry> entries_;     // sorted by range.first
  std::vector<IpAddress> latest_;  // the greatest range.last in the subtree of each root
};

}  // namespace gatehouse::rules
