#include "rules/lint.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "rules/coverage.h"
#include "rules/explain.h"

namespace gatehouse::rules {
namespace {

// More addresses than a /8, or than a /32 of IPv6, are rarely meant.
constexpr std::uint64_t broad_v4 = std::uint64_t{1} << 24;
constexpr Bits128 broad_v6 = Bits128::ones(96);

std::optional<Extent> extent_of(const Rule& rule, Time now) {
  Extent extent{.rule = &rule,
                .hull = {all_v4.first, all_v6.last},
                .list = nullptr,
                .starts = std::max(rule.window.not_before.value_or(now), now),
                .ends = rule.window.expires.value_or(Time::max())};
  const Addresses* addresses = addresses_of(rule);
  if (addresses == nullptr) {
    const auto* vnet = std::get_if<VnetRule>(&rule.what);
    if (vnet != nullptr && vnet->subnet) extent.hull = vnet->subnet->range;
    return extent;
  }
  if (const auto* range = std::get_if<IpRange>(addresses)) {
    extent.hull = *range;
    return extent;
  }
  const auto& list = std::get<std::shared_ptr<const RangeSet>>(*addresses);
  if (list == nullptr || list->empty()) return std::nullopt;
  extent.hull.first = list->v4().empty() ? to_ip_range(list->v6().front()).first
                                         : to_ip_range(list->v4().front()).first;
  extent.hull.last = list->v6().empty() ? to_ip_range(list->v4().back()).last
                                        : to_ip_range(list->v6().back()).last;
  if (list->size() > 1) extent.list = list.get();
  return extent;
}

// One rule may follow upon another.
bool overlap_in_time(const Extent& a, const Extent& b) {
  return std::max(a.starts, b.starts) < std::min(a.ends, b.ends);
}

class Linter {
 public:
  Linter(const Policy& policy, const NetworkMap& networks, Time now)
      : policy_(policy), networks_(networks), now_(now) {}

  std::vector<Finding> run() {
    for (const Rule& rule : policy_.rules()) {
      const bool has_ended = check_end(rule);
      if (has_ended) continue;
      check_breadth(rule);
      check_embedded(rule);
      sort_in(rule);
    }
    check_group(denying_, "deny rule");
    take_out_denied();
    check_group(ip_, "rule");
    for (auto& [network, group] : vnet_) check_group(group, "rule");
    for (auto& [network, group] : endpoints_) check_group(group, "private endpoint");
    std::stable_sort(findings_.begin(), findings_.end(),
                     [](const Finding& a, const Finding& b) { return a.origin < b.origin; });
    return std::move(findings_);
  }

 private:
  // Such as: rule oslo-office of server orders
  [[nodiscard]] std::string name(const Rule& rule) const {
    std::string text = rule.kind() == RuleKind::deny               ? "deny rule "
                       : rule.kind() == RuleKind::private_endpoint ? "private endpoint "
                                                                   : "rule ";
    text += rule.name + " of server " + policy_.server();
    const auto* vnet = std::get_if<VnetRule>(&rule.what);
    if (vnet != nullptr) text += " (network " + networks_[vnet->network].name + ')';
    return text;
  }

  void report(const Rule& rule, std::string_view what, std::string hint) {
    findings_.push_back({.origin = rule.origin,
                         .message = name(rule) + ' ' + std::string(what),
                         .hint = std::move(hint)});
  }

  // Whether the rule's time is over.
  bool check_end(const Rule& rule) {
    if (!rule.window.expires) return false;
    const std::string when = to_string(*rule.window.expires);
    if (rule.window.at(now_) == Window::At::after) {
      report(rule, "expired at " + when, "remove it, or give it a later `expires`");
      return true;
    }
    if (*rule.window.expires - now_ <= expires_soon) {
      report(rule, "expires at " + when,
             rule.kind() == RuleKind::deny
                 ? "what it keeps out may come in then; give it a later `expires` if it must not"
                 : "sessions that it lets in end then; give it a later `expires` if it is needed");
    }
    return false;
  }

  void check_breadth(const Rule& rule) {
    const auto* ip = std::get_if<IpRule>(&rule.what);
    if (ip == nullptr) return;
    if (const auto* range = std::get_if<IpRange>(&ip->addresses)) {
      check_breadth(rule, RangeSet(*range));
    } else if (const auto& list = std::get<std::shared_ptr<const RangeSet>>(ip->addresses)) {
      check_breadth(rule, *list);
    }
  }

  void check_breadth(const Rule& rule, const RangeSet& admitted) {
    const std::string hint = "name the addresses that clients really come from";
    std::uint64_t v4 = 0;
    for (const V4Range& range : admitted.v4()) v4 += std::uint64_t{range.last} - range.first + 1;
    if (v4 == std::uint64_t{1} << 32) {
      report(rule, "lets in every IPv4 address", hint);
    } else if (v4 > broad_v4) {
      report(rule, "lets in " + std::to_string(v4) + " IPv4 addresses, more than a /8", hint);
    }
    // One less than the number of addresses, so that all of them can be counted in 128 bits.
    Bits128 v6;
    for (const V6Range& range : admitted.v6()) v6 = v6 + (range.last - range.first);
    if (v6 == Bits128::ones(128)) {
      report(rule, "lets in every IPv6 address", hint);
    } else if (v6 > broad_v6) {
      report(rule, "lets in more IPv6 addresses than a /32 has", hint);
    }
  }

  // Rules see the IPv4 address that such a source embeds.
  void check_embedded(const Rule& rule) {
    const Addresses* addresses = addresses_of(rule);
    const auto* range = addresses != nullptr ? std::get_if<IpRange>(addresses) : nullptr;
    if (range == nullptr) return;
    for (const Network& network : networks_.all()) {
      for (const NetworkMatcher& entry : network.matched_by) {
        if (!entry.ipv6_prefix || !entry.ipv6_prefix->contains(range->first) ||
            !entry.ipv6_prefix->contains(range->last)) {
          continue;
        }
        report(rule, "never matches: network " + network.name + " has its range as an ipv6_prefix",
               "name the IPv4 addresses that are embedded in it: they are what rules see");
        return;
      }
    }
  }

  void sort_in(const Rule& rule) {
    const auto extent = extent_of(rule, now_);
    if (!extent) return;
    if (const auto* vnet = std::get_if<VnetRule>(&rule.what)) {
      vnet_[vnet->network].push_back(*extent);
    } else if (const auto* endpoint = std::get_if<PrivateEndpoint>(&rule.what)) {
      if (endpoint->state != EndpointState::approved) return;
      endpoints_[endpoint->network].push_back(*extent);
    } else {
      (rule.kind() == RuleKind::deny ? denying_ : ip_).push_back(*extent);
    }
  }

  // Reports allow rules that deny rules make pointless, and takes them out of further checks.
  void take_out_denied() {
    take_out_denied(ip_);
    for (auto& [network, group] : vnet_) take_out_denied(group);
  }

  void take_out_denied(std::vector<Extent>& group) {
    const auto covers = find_covers(group, denying_, now_);
    std::vector<Extent> rest;
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (covers[i] == nullptr) {
        rest.push_back(group[i]);
      } else {
        report(*group[i].rule, "lets nobody in: deny rule " + covers[i]->rule->name + " covers it",
               "remove it, or take its addresses out of the deny rule");
      }
    }
    group = std::move(rest);
  }

  void check_group(const std::vector<Extent>& group, const std::string& noun) {
    const auto covers = find_covers(group, group, now_);
    std::vector<Extent> rest;
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (covers[i] == nullptr) {
        rest.push_back(group[i]);
        continue;
      }
      const Rule& rule = *group[i].rule;
      const Rule& other = *covers[i]->rule;
      const bool is_same = match_same(group[i], *covers[i]) &&
                           rule.window.not_before == other.window.not_before &&
                           rule.window.expires == other.window.expires;
      const std::string by = noun + ' ' + other.name;
      report(rule, is_same ? "says the same as " + by : "adds nothing: " + by + " covers it",
             "remove one of the two");
    }
    const auto overlaps = find_overlaps(rest);
    for (std::size_t i = 0; i < rest.size(); ++i) {
      if (overlaps[i] == nullptr || !overlap_in_time(rest[i], *overlaps[i])) continue;
      const IpRange shared{rest[i].hull.first, std::min(rest[i].hull.last, overlaps[i]->hull.last)};
      report(*rest[i].rule,
             "overlaps " + noun + ' ' + overlaps[i]->rule->name + " in " + shared.to_string(),
             "make the ranges disjoint, or join them into one rule");
    }
  }

  const Policy& policy_;
  const NetworkMap& networks_;
  const Time now_;
  // Rules that are or will be in force.
  std::vector<Extent> ip_;
  std::vector<Extent> denying_;
  std::map<NetworkId, std::vector<Extent>> vnet_;
  std::map<NetworkId, std::vector<Extent>> endpoints_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> lint(const Policy& policy, const NetworkMap& networks, Time now) {
  return Linter(policy, networks, now).run();
}

}  // namespace gatehouse::rules
