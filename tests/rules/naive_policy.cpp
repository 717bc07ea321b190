#include "tests/rules/naive_policy.h"

#include <algorithm>
#include <set>

#include "tests/rules/build.h"

namespace gatehouse::rules::test {
namespace {

bool contains(const Addresses& addresses, const IpAddress& address) {
  if (const auto* range = std::get_if<IpRange>(&addresses)) {
    return range->first <= address && address <= range->last;
  }
  const auto& list = *std::get<std::shared_ptr<const RangeSet>>(addresses);
  for (const V4Range& range : list.v4()) {
    if (address.is_v4() && range.first <= address.v4_value() && address.v4_value() <= range.last) {
      return true;
    }
  }
  for (const V6Range& range : list.v6()) {
    if (!address.is_v4() && range.first <= address.bits() && address.bits() <= range.last) {
      return true;
    }
  }
  return false;
}

bool has_ended(const Rule& rule, Time now) {
  return rule.window.expires.has_value() && *rule.window.expires <= now;
}
bool is_to_come(const Rule& rule, Time now) {
  return !has_ended(rule, now) && rule.window.not_before.has_value() &&
         *rule.window.not_before > now;
}
bool is_in_force(const Rule& rule, Time now) {
  return !has_ended(rule, now) && !is_to_come(rule, now);
}

// The least name among the rules for which `is_meant` holds; empty if there is none.
template <typename Meant>
std::string least_name(const PolicySpec& spec, const Meant& is_meant) {
  std::string least;
  for (const Rule& rule : spec.rules) {
    if (is_meant(rule) && (least.empty() || rule.name < least)) least = rule.name;
  }
  return least;
}

// Steps 6 and 7, for whatever kind of rule `matches` picks.
template <typename Matches>
NaiveDecision by_time(const PolicySpec& spec, Time now, Reason allow, const Matches& matches) {
  const auto named = [&](bool (*state)(const Rule&, Time)) {
    return least_name(spec, [&](const Rule& rule) { return matches(rule) && state(rule, now); });
  };
  if (auto name = named(is_in_force); !name.empty()) return {Verdict::allow, allow, name};
  if (auto name = named(has_ended); !name.empty()) {
    return {Verdict::deny, Reason::rule_expired, name};
  }
  if (auto name = named(is_to_come); !name.empty()) {
    return {Verdict::deny, Reason::rule_not_yet_valid, name};
  }
  return {Verdict::deny, Reason::no_matching_rule, ""};
}

NaiveDecision decide_known(const PolicySpec& spec, const IpAddress& address, const Arrival& arrival,
                           Time now) {
  using Way = Arrival::Way;
  if (arrival.way == Way::ambiguous_network) return {Verdict::deny, Reason::ambiguous_network, ""};
  if (arrival.way == Way::unknown_network) return {Verdict::deny, Reason::unknown_network, ""};
  if (spec.locked_down) return {Verdict::deny, Reason::locked_down, ""};

  const std::string denying = least_name(spec, [&](const Rule& rule) {
    const auto* deny = std::get_if<DenyRule>(&rule.what);
    return deny != nullptr && contains(deny->addresses, address) && is_in_force(rule, now);
  });
  if (!denying.empty()) return {Verdict::deny, Reason::denied_by_rule, denying};

  const auto is_endpoint = [&](const Rule& rule) {
    const auto* endpoint = std::get_if<PrivateEndpoint>(&rule.what);
    return arrival.way == Way::network && endpoint != nullptr &&
           endpoint->network == arrival.network;
  };
  const auto is_approved = [&](const Rule& rule) {
    return is_endpoint(rule) &&
           std::get<PrivateEndpoint>(rule.what).state == EndpointState::approved;
  };
  if (std::any_of(spec.rules.begin(), spec.rules.end(), is_endpoint)) {
    auto approved = by_time(spec, now, Reason::private_endpoint, is_approved);
    if (approved.verdict == Verdict::allow) return approved;
    const std::string other =
        least_name(spec, [&](const Rule& rule) { return is_endpoint(rule) && !is_approved(rule); });
    if (!other.empty()) return {Verdict::deny, Reason::endpoint_not_approved, other};
    return approved;
  }
  if (spec.public_network_access == PublicNetworkAccess::disabled) {
    return {Verdict::deny, Reason::public_access_disabled, ""};
  }
  if (arrival.way == Way::network) {
    return by_time(spec, now, Reason::vnet_rule, [&](const Rule& rule) {
      const auto* vnet = std::get_if<VnetRule>(&rule.what);
      return vnet != nullptr && vnet->network == arrival.network &&
             (!vnet->subnet || vnet->subnet->range.contains(address));
    });
  }
  return by_time(spec, now, Reason::ip_rule, [&](const Rule& rule) {
    const auto* ip = std::get_if<IpRule>(&rule.what);
    return ip != nullptr && contains(ip->addresses, address);
  });
}

// One address of each stretch within which all rules say the same.
std::vector<IpAddress> all_kinds_of_addresses(const PolicySpec& spec) {
  std::set<IpAddress> kinds{IpAddress::v4(0), IpAddress::v6_border({})};
  const auto add = [&](const IpRange& range) {
    kinds.insert(range.first);
    if (range.last == all_v4.last || range.last == all_v6.last) return;
    kinds.insert(range.last.is_v4() ? IpAddress::v4(range.last.v4_value() + 1)
                                    : IpAddress::v6_border(range.last.bits() + Bits128{0, 1}));
  };
  for (const Rule& rule : spec.rules) {
    if (const auto* vnet = std::get_if<VnetRule>(&rule.what); vnet != nullptr && vnet->subnet) {
      add(vnet->subnet->range);
    }
    const Addresses* addresses = addresses_of(rule);
    if (addresses == nullptr) continue;
    if (const auto* range = std::get_if<IpRange>(addresses)) {
      add(*range);
      continue;
    }
    const auto& list = *std::get<std::shared_ptr<const RangeSet>>(*addresses);
    for (const V4Range& range : list.v4()) add(to_ip_range(range));
    for (const V6Range& range : list.v6()) add(to_ip_range(range));
  }
  return {kinds.begin(), kinds.end()};
}

// Public, each network that a rule names and one that none names; not the two that no rule judges.
std::vector<Arrival> all_judged_arrivals(const PolicySpec& spec) {
  std::set<NetworkId> networks;
  for (const Rule& rule : spec.rules) {
    if (const auto* vnet = std::get_if<VnetRule>(&rule.what)) networks.insert(vnet->network);
    if (const auto* end = std::get_if<PrivateEndpoint>(&rule.what)) networks.insert(end->network);
  }
  NetworkId other{};
  while (networks.count(other) > 0) other = NetworkId{static_cast<std::uint32_t>(other) + 1};
  networks.insert(other);
  std::vector<Arrival> arrivals{by_public_address};
  for (const NetworkId network : networks) arrivals.push_back(by(network));
  return arrivals;
}

}  // namespace

NaiveDecision naive_decide(const PolicySpec& spec, const Facts& facts) {
  const auto addresses = facts.address ? std::vector{*facts.address} : all_kinds_of_addresses(spec);
  const auto arrivals = facts.arrival ? std::vector{*facts.arrival} : all_judged_arrivals(spec);
  std::vector<NaiveDecision> outcomes;
  for (const IpAddress& address : addresses) {
    for (const Arrival& arrival : arrivals) {
      outcomes.push_back(decide_known(spec, address, arrival, facts.now));
    }
  }
  NaiveDecision common = outcomes.front();
  for (const NaiveDecision& outcome : outcomes) {
    if (outcome.verdict != common.verdict) return {Verdict::undecided, Reason::undecided, ""};
    if (outcome.rule != common.rule) common.rule.clear();
    if (outcome.reason != common.reason) common.reason = Reason::no_matching_rule;
  }
  // It may turn out to be unknown or ambiguous as well, which is a deny.
  const bool may_be_unknown = !facts.arrival.has_value();
  if (common.verdict == Verdict::allow && may_be_unknown) {
    return {Verdict::undecided, Reason::undecided, ""};
  }
  if (common.verdict == Verdict::deny && common.reason == Reason::no_matching_rule) {
    common.rule.clear();
  }
  return common;
}

}  // namespace gatehouse::rules::test
