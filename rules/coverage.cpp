#include "rules/coverage.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <tuple>

namespace gatehouse::rules {
namespace {

bool covers_range(const RangeSet& list, const IpRange& range) {
  const auto nearest = list.nearest(range.first);
  return nearest && nearest->contains(range.first) && nearest->contains(range.last);
}

bool covers_list(const RangeSet& list, const RangeSet& other) {
  const auto is_covered = [&](const auto& range) { return covers_range(list, to_ip_range(range)); };
  return std::all_of(other.v4().begin(), other.v4().end(), is_covered) &&
         std::all_of(other.v6().begin(), other.v6().end(), is_covered);
}

bool is_same(const Extent& a, const Extent& b) {
  return a.starts == b.starts && a.ends == b.ends && match_same(a, b);
}

// Whether `cover`, a list, makes `extent` needless.
bool list_covers(const Extent& cover, const Extent& extent) {
  if (cover.rule == extent.rule || cover.starts > extent.starts || cover.ends < extent.ends) {
    return false;
  }
  if (!cover.hull.contains(extent.hull.first) || !cover.hull.contains(extent.hull.last)) {
    return false;
  }
  // Of two that say the same only the first covers the other, lest both be called needless.
  const bool is_twin = cover.rule->kind() == extent.rule->kind() && is_same(cover, extent);
  if (is_twin && std::less<>{}(extent.rule, cover.rule)) return false;
  return extent.list == nullptr ? covers_range(*cover.list, extent.hull)
                                : covers_list(*cover.list, *extent.list);
}

// Ranges seen so far, as far as they matter: of two of which one neither reaches further nor lasts
// longer, only the other is kept. So those that reach further end sooner.
class Reach {
 public:
  void add(const Extent& extent) {
    if (find(extent) != nullptr) return;
    auto after = by_last_.upper_bound(extent.hull.last);
    while (after != by_last_.begin() && std::prev(after)->second->ends <= extent.ends) {
      after = by_last_.erase(std::prev(after));
    }
    by_last_.emplace_hint(after, extent.hull.last, &extent);
  }

  // One that reaches as far as `extent` and lasts as long; null if there is none.
  [[nodiscard]] const Extent* find(const Extent& extent) const {
    const auto found = by_last_.lower_bound(extent.hull.last);
    if (found == by_last_.end() || found->second->ends < extent.ends) return nullptr;
    return found->second;
  }

 private:
  std::map<IpAddress, const Extent*> by_last_;
};

// A rule met by the sweep, in one of its two parts or both.
struct Visit {
  const Extent* extent = nullptr;
  bool is_cover = false;
  std::size_t index = 0;  // of the extent, where it is not a cover
};

// Ranges that begin together come in the order of what they cover, so that whatever covers a rule
// has been seen before it.
bool comes_before(const Visit& a, const Visit& b) {
  const Extent& x = *a.extent;
  const Extent& y = *b.extent;
  if (x.hull.first != y.hull.first) return x.hull.first < y.hull.first;
  if (x.hull.last != y.hull.last) return x.hull.last > y.hull.last;
  if (x.ends != y.ends) return x.ends > y.ends;
  if (x.starts != y.starts) return x.starts < y.starts;
  if (x.rule->kind() != y.rule->kind()) return a.is_cover && !b.is_cover;
  if (x.rule != y.rule) return std::less<>{}(x.rule, y.rule);
  return !a.is_cover && b.is_cover;
}

bool lies_before(const Extent* a, const Extent* b) {
  return std::tie(a->hull.first, b->hull.last, a->rule->name) <
         std::tie(b->hull.first, a->hull.last, b->rule->name);
}

}  // namespace

bool match_same(const Extent& a, const Extent& b) {
  if (a.hull != b.hull || (a.list == nullptr) != (b.list == nullptr)) return false;
  return a.list == b.list || *a.list == *b.list;
}

std::vector<const Extent*> find_covers(const std::vector<Extent>& extents,
                                       const std::vector<Extent>& covers, Time now) {
  std::vector<Visit> visits;
  visits.reserve(extents.size() + covers.size());
  for (std::size_t i = 0; i < extents.size(); ++i) visits.push_back({&extents[i], false, i});
  for (const Extent& cover : covers) {
    if (cover.list == nullptr) visits.push_back({&cover, true, 0});
  }
  std::sort(visits.begin(), visits.end(), comes_before);

  std::vector<const Extent*> found(extents.size(), nullptr);
  Reach reach;
  const Extent* previous = nullptr;  // the last cover met; a twin would come right after it
  for (const Visit& visit : visits) {
    if (visit.is_cover) {
      // One that is yet to start covers only its twins.
      if (visit.extent->starts <= now) reach.add(*visit.extent);
      if (previous == nullptr || !is_same(*previous, *visit.extent)) previous = visit.extent;
    } else {
      found[visit.index] = reach.find(*visit.extent);
      if (found[visit.index] == nullptr && previous != nullptr &&
          is_same(*previous, *visit.extent)) {
        found[visit.index] = previous;
      }
    }
  }
  for (const Extent& cover : covers) {
    if (cover.list == nullptr) continue;
    for (std::size_t i = 0; i < extents.size(); ++i) {
      if (found[i] == nullptr && list_covers(cover, extents[i])) found[i] = &cover;
    }
  }
  return found;
}

std::vector<const Extent*> find_overlaps(const std::vector<Extent>& extents) {
  std::vector<const Extent*> sorted;
  for (const Extent& extent : extents) {
    if (extent.list == nullptr) sorted.push_back(&extent);
  }
  std::sort(sorted.begin(), sorted.end(), lies_before);

  std::vector<const Extent*> found(extents.size(), nullptr);
  std::map<IpAddress, const Extent*> by_last;
  for (const Extent* extent : sorted) {
    // The first to end of those that reach into this one: if it goes on beyond, so do all.
    const auto reaching = by_last.lower_bound(extent->hull.first);
    if (reaching != by_last.end() && reaching->first < extent->hull.last) {
      found[static_cast<std::size_t>(extent - extents.data())] = reaching->second;
    }
    by_last.emplace(extent->hull.last, extent);
  }
  return found;
}

}  // namespace gatehouse::rules
