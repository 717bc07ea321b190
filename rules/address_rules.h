// Those rules of a policy that match by address and are judged together: the IP rules, the deny
// rules, or one network's vnet rules. Rules are known by their numbers, their places in
// Policy::rules(), which are in the order of their names.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "rules/interval_index.h"
#include "rules/rule.h"

namespace gatehouse::rules {

// Which rules match an address: of those in force, those no longer and those not yet in force, the
// one of the least name each.
struct Hits {
  std::optional<std::size_t> in_force;
  std::optional<std::size_t> expired;
  std::optional<std::size_t> future;

  void add(std::size_t rule, Window::At at) noexcept;
};

class AddressRules {
 public:
  AddressRules() = default;
  // `rules` are all the rules of the policy; it and the lists in it must outlive this object.
  // REQUIRES: no private endpoint is among `numbers`, which are in rising order.
  AddressRules(std::span<const Rule> rules, const std::vector<std::size_t>& numbers);

  [[nodiscard]] Hits matching(const IpAddress& address, Time now) const noexcept;

  // The rest is for decisions made before the address is known. Some rule of state `at` matches
  // some address.
  [[nodiscard]] bool any(Window::At at, Time now) const noexcept;
  // Rules of state `at` match every address there is.
  [[nodiscard]] bool match_all(Window::At at, Time now) const noexcept;
  // Some address is matched by a rule in force here and by none in force in `others`.
  [[nodiscard]] bool reach_beyond(const AddressRules& others, Time now) const noexcept;

 private:
  struct List {
    std::size_t rule = 0;
    const RangeSet* ranges = nullptr;
  };

  [[nodiscard]] bool is(std::size_t rule, Window::At at, Time now) const noexcept {
    return rules_[rule].window.at(now) == at;
  }
  // The first address of [first, last] that no rule of state `at` matches.
  [[nodiscard]] std::optional<IpAddress> first_outside(const IpRange& range, Window::At at,
                                                       Time now) const noexcept;

  std::span<const Rule> rules_;
  // Rules of one range are found through an index; lists, few but long, are asked in turn.
  IntervalIndex ranges_;
  std::vector<List> lists_;              // not empty ones
  std::vector<std::size_t> everywhere_;  // match any address: whole networks
};

}  // namespace gatehouse::rules
