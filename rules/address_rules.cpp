#include "rules/address_rules.h"

#include <algorithm>
#include <utility>

namespace gatehouse::rules {
namespace {

IpAddress address_after(const IpAddress& address) {
  if (address.is_v4()) return IpAddress::v4(address.v4_value() + 1);
  return IpAddress::v6_border(address.bits() + Bits128{0, 1});
}

void keep_least(std::optional<std::size_t>& kept, std::size_t rule) {
  if (!kept || rule < *kept) kept = rule;
}

}  // namespace

void Hits::add(std::size_t rule, Window::At at) noexcept {
  switch (at) {
    case Window::At::in_force:
      return keep_least(in_force, rule);
    case Window::At::after:
      return keep_least(expired, rule);
    case Window::At::before:
      return keep_least(future, rule);
  }
}

AddressRules::AddressRules(std::span<const Rule> rules, const std::vector<std::size_t>& numbers)
    : rules_(rules) {
  std::vector<IntervalIndex::Entry> ranges;
  for (const std::size_t number : numbers) {
    const Rule& rule = rules[number];
    if (const Addresses* addresses = addresses_of(rule)) {
      if (const auto* range = std::get_if<IpRange>(addresses)) {
        ranges.push_back({*range, number});
      } else if (const auto* list = std::get_if<std::shared_ptr<const RangeSet>>(addresses);
                 *list != nullptr && !(*list)->empty()) {
        lists_.push_back({number, list->get()});
      }
    } else if (const auto* vnet = std::get_if<VnetRule>(&rule.what)) {
      if (vnet->subnet) {
        ranges.push_back({vnet->subnet->range, number});
      } else {
        everywhere_.push_back(number);
      }
    }
  }
  ranges_ = IntervalIndex(std::move(ranges));
}

Hits AddressRules::matching(const IpAddress& address, Time now) const noexcept {
  Hits hits;
  const auto add = [&](std::size_t rule) { hits.add(rule, rules_[rule].window.at(now)); };
  ranges_.for_each_containing(address, [&](const IntervalIndex::Entry& entry) { add(entry.rule); });
  for (const List& list : lists_) {
    if (list.ranges->contains(address)) add(list.rule);
  }
  for (const std::size_t rule : everywhere_) add(rule);
  return hits;
}

bool AddressRules::any(Window::At at, Time now) const noexcept {
  const auto entry_is = [&](const auto& entry) { return is(entry.rule, at, now); };
  const auto rule_is = [&](std::size_t rule) { return is(rule, at, now); };
  return std::any_of(ranges_.entries().begin(), ranges_.entries().end(), entry_is) ||
         std::any_of(lists_.begin(), lists_.end(), entry_is) ||
         std::any_of(everywhere_.begin(), everywhere_.end(), rule_is);
}

bool AddressRules::match_all(Window::At at, Time now) const noexcept {
  return !first_outside(all_v4, at, now) && !first_outside(all_v6, at, now);
}

bool AddressRules::reach_beyond(const AddressRules& others, Time now) const noexcept {
  constexpr auto in_force = Window::At::in_force;
  const auto is_beyond = [&](const IpRange& range) {
    return others.first_outside(range, in_force, now).has_value();
  };
  for (const std::size_t rule : everywhere_) {
    if (is(rule, in_force, now)) return !others.match_all(in_force, now);
  }
  for (const IntervalIndex::Entry& entry : ranges_.entries()) {
    if (is(entry.rule, in_force, now) && is_beyond(entry.range)) return true;
  }
  for (const List& list : lists_) {
    if (!is(list.rule, in_force, now)) continue;
    for (const V4Range& range : list.ranges->v4()) {
      if (is_beyond(to_ip_range(range))) return true;
    }
    for (const V6Range& range : list.ranges->v6()) {
      if (is_beyond(to_ip_range(range))) return true;
    }
  }
  return false;
}

std::optional<IpAddress> AddressRules::first_outside(const IpRange& range, Window::At at,
                                                     Time now) const noexcept {
  if (std::any_of(everywhere_.begin(), everywhere_.end(),
                  [&](std::size_t rule) { return is(rule, at, now); })) {
    return std::nullopt;
  }
  // From one matching range to the end of the one that goes on furthest.
  IpAddress address = range.first;
  while (true) {
    std::optional<IpAddress> matched_to;
    ranges_.for_each_containing(address, [&](const IntervalIndex::Entry& entry) {
      if (is(entry.rule, at, now)) matched_to = std::max(matched_to, {entry.range.last});
    });
    for (const List& list : lists_) {
      if (!is(list.rule, at, now)) continue;
      const auto nearest = list.ranges->nearest(address);
      if (nearest && nearest->contains(address)) matched_to = std::max(matched_to, {nearest->last});
    }
    if (!matched_to) return address;
    if (*matched_to >= range.last) return std::nullopt;
    address = address_after(*matched_to);
  }
}

}  // namespace gatehouse::rules
