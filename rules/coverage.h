// Of many rules, finds those that others make needless. In n log n steps for rules of one range;
// lists, which are few, are compared with each rule.
#pragma once

#include <vector>

#include "rules/rule.h"

namespace gatehouse::rules {

// What one rule matches, and when.
struct Extent {
  const Rule* rule = nullptr;
  // From the first to the last address matched. IPv4 sorts before IPv6, so a hull may span both.
  IpRange hull;
  const RangeSet* list = nullptr;  // Null: all of the hull is matched.
  Time starts;                     // now or later
  Time ends;
};

[[nodiscard]] bool match_same(const Extent& a, const Extent& b);

// For each of `extents` one of `covers` that matches all of it, is in force when it starts and does
// not end before it; null where there is none. Given the same rules twice, no rule covers itself,
// and of several that say the same the first covers the others.
[[nodiscard]] std::vector<const Extent*> find_covers(const std::vector<Extent>& extents,
                                                     const std::vector<Extent>& covers, Time now);

// For each of `extents` an earlier one that it shares some addresses with while either has some of
// its own; null where there is none. Lists overlap nothing: feeds from elsewhere share entries.
[[nodiscard]] std::vector<const Extent*> find_overlaps(const std::vector<Extent>& extents);

}  // namespace gatehouse::rules
