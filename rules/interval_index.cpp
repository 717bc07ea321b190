#include "rules/interval_index.h"

#include <algorithm>
#include <utility>

namespace gatehouse::rules {

IntervalIndex::IntervalIndex(std::vector<Entry> entries)
    : entries_(std::move(entries)), latest_(entries_.size()) {
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.range, a.rule) < std::pair(b.range, b.rule);
  });
  find_latest(0, entries_.size());
}

void IntervalIndex::find_latest(std::size_t begin, std::size_t end) {
  if (begin == end) return;
  const std::size_t root = middle(begin, end);
  find_latest(begin, root);
  find_latest(root + 1, end);
  latest_[root] = entries_[root].range.last;
  if (begin < root) latest_[root] = std::max(latest_[root], latest_[middle(begin, root)]);
  if (root + 1 < end) latest_[root] = std::max(latest_[root], latest_[middle(root + 1, end)]);
}

}  // namespace gatehouse::rules
