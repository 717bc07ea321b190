#include "rules/policy.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace gatehouse::rules {
namespace {

constexpr Decision deny(Reason reason, const Rule* rule = nullptr) {
  return {Verdict::deny, reason, rule};
}
constexpr Decision allow(Reason reason, const Rule* rule = nullptr) {
  return {Verdict::allow, reason, rule};
}
constexpr Decision undecided{Verdict::undecided, Reason::undecided, nullptr};

// What holds if either may turn out to be the case.
Decision either(const Decision& a, const Decision& b) {
  if (a.verdict != b.verdict || a.verdict == Verdict::undecided) return undecided;
  if (a.reason != b.reason) return {a.verdict, Reason::no_matching_rule, nullptr};
  return {a.verdict, a.reason, a.rule == b.rule ? a.rule : nullptr};
}

}  // namespace

Policy::Policy(PolicySpec spec) : spec_(std::move(spec)) {
  std::sort(spec_.rules.begin(), spec_.rules.end(), [](const Rule& a, const Rule& b) {
    return std::tie(a.name, a.origin) < std::tie(b.name, b.origin);
  });
  std::vector<std::size_t> ip;
  std::vector<std::size_t> denying;
  struct Numbers {
    std::vector<std::size_t> vnet;
    std::vector<std::size_t> endpoints;
  };
  std::map<NetworkId, Numbers> networks;
  for (std::size_t number = 0; number < spec_.rules.size(); ++number) {
    const Rule& rule = spec_.rules[number];
    if (const auto* vnet = std::get_if<VnetRule>(&rule.what)) {
      networks[vnet->network].vnet.push_back(number);
    } else if (const auto* endpoint = std::get_if<PrivateEndpoint>(&rule.what)) {
      networks[endpoint->network].endpoints.push_back(number);
    } else {
      (rule.kind() == RuleKind::deny ? denying : ip).push_back(number);
    }
  }
  ip_ = AddressRules(spec_.rules, ip);
  deny_ = AddressRules(spec_.rules, denying);
  for (auto& [network, numbers] : networks) {
    networks_.push_back({.network = network,
                         .vnet = AddressRules(spec_.rules, numbers.vnet),
                         .endpoints = std::move(numbers.endpoints)});
  }
}

Decision Policy::decide(const Facts& facts, bool is_locked_down) const noexcept {
  if (facts.arrival) {
    if (facts.arrival->way == Arrival::Way::ambiguous_network) {
      return deny(Reason::ambiguous_network);
    }
    if (facts.arrival->way == Arrival::Way::unknown_network) return deny(Reason::unknown_network);
  }
  if (is_locked_down) return deny(Reason::locked_down);
  if (facts.arrival) {
    const bool is_public = facts.arrival->way == Arrival::Way::public_address;
    return judge(is_public ? public_gate() : gate(facts.arrival->network), facts);
  }
  // Public, or by a network that no rule names, or by one of those that rules name. It may as well
  // turn out unknown or ambiguous: those deny, and their reasons hide no better one, but no allow
  // is certain.
  Decision decision = either(judge(public_gate(), facts), judge(Gate{}, facts));
  for (const NetworkRules& rules : networks_) {
    decision = either(decision, judge(gate(rules), facts));
  }
  return decision.verdict == Verdict::deny ? decision : undecided;
}

std::size_t Policy::number_of(const Rule& rule) const noexcept {
  return static_cast<std::size_t>(&rule - spec_.rules.data());
}

Policy::Gate Policy::public_gate() const noexcept {
  return {.endpoints = nullptr, .rules = &ip_, .allow = Reason::ip_rule};
}

Policy::Gate Policy::gate(const NetworkRules& rules) const noexcept {
  return {.endpoints = rules.endpoints.empty() ? nullptr : &rules.endpoints,
          .rules = &rules.vnet,
          .allow = Reason::vnet_rule};
}

Policy::Gate Policy::gate(NetworkId network) const noexcept {
  const auto found = std::lower_bound(
      networks_.begin(), networks_.end(), network,
      [](const NetworkRules& rules, NetworkId wanted) { return rules.network < wanted; });
  if (found == networks_.end() || found->network != network) return {};
  return gate(*found);
}

Decision Policy::judge(const Gate& gate, const Facts& facts) const noexcept {
  if (!facts.address) return judge_any_address(gate, facts.now);
  if (const auto denying = deny_.matching(*facts.address, facts.now).in_force) {
    return deny(Reason::denied_by_rule, &spec_.rules[*denying]);
  }
  if (const auto decision = judge_way(gate, facts.now)) return *decision;
  if (gate.rules == nullptr) return deny(Reason::no_matching_rule);
  return conclude(gate.rules->matching(*facts.address, facts.now), gate.allow);
}

// Decides what is the same for every address. Where two addresses are denied for two reasons, there
// is no common one, which is `no_matching_rule`.
Decision Policy::judge_any_address(const Gate& gate, Time now) const noexcept {
  constexpr auto in_force = Window::At::in_force;
  const bool some_are_denied = deny_.any(in_force, now);
  if (some_are_denied && deny_.match_all(in_force, now)) return deny(Reason::denied_by_rule);
  if (const auto decision = judge_way(gate, now)) {
    return some_are_denied ? either(deny(Reason::denied_by_rule), *decision) : *decision;
  }
  if (gate.rules == nullptr) return deny(Reason::no_matching_rule);
  if (gate.rules->reach_beyond(deny_, now)) {
    const bool all_are_allowed = !some_are_denied && gate.rules->match_all(in_force, now);
    return all_are_allowed ? allow(gate.allow) : undecided;
  }
  if (some_are_denied) return deny(Reason::no_matching_rule);
  if (gate.rules->match_all(Window::At::after, now)) return deny(Reason::rule_expired);
  if (!gate.rules->any(Window::At::after, now) && gate.rules->match_all(Window::At::before, now)) {
    return deny(Reason::rule_not_yet_valid);
  }
  return deny(Reason::no_matching_rule);
}

std::optional<Decision> Policy::judge_way(const Gate& gate, Time now) const noexcept {
  if (gate.endpoints != nullptr) return judge_endpoints(*gate.endpoints, now);
  if (spec_.public_network_access == PublicNetworkAccess::disabled) {
    return deny(Reason::public_access_disabled);
  }
  return std::nullopt;
}

Decision Policy::judge_endpoints(const std::vector<std::size_t>& endpoints,
                                 Time now) const noexcept {
  Hits approved;
  const Rule* not_approved = nullptr;
  for (const std::size_t number : endpoints) {
    const Rule& rule = spec_.rules[number];
    const auto* endpoint = std::get_if<PrivateEndpoint>(&rule.what);
    if (endpoint != nullptr && endpoint->state == EndpointState::approved) {
      approved.add(number, rule.window.at(now));
    } else if (not_approved == nullptr) {
      not_approved = &rule;
    }
  }
  if (!approved.in_force && not_approved != nullptr) {
    return deny(Reason::endpoint_not_approved, not_approved);
  }
  return conclude(approved, Reason::private_endpoint);
}

Decision Policy::conclude(const Hits& hits, Reason reason) const noexcept {
  if (hits.in_force) return allow(reason, &spec_.rules[*hits.in_force]);
  if (hits.expired) return deny(Reason::rule_expired, &spec_.rules[*hits.expired]);
  if (hits.future) return deny(Reason::rule_not_yet_valid, &spec_.rules[*hits.future]);
  return deny(Reason::no_matching_rule);
}

Decision decide_for_any(std::span<const PolicyInForce> policies, const Facts& facts) noexcept {
  if (policies.empty()) return {};
  Decision decision = policies.front().decide(facts);
  for (const PolicyInForce& policy : policies.subspan(1)) {
    decision = either(decision, policy.decide(facts));
  }
  return decision.verdict == Verdict::deny ? decision : undecided;
}

std::string_view to_string(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::deny:
      return "deny";
    case Verdict::undecided:
      return "undecided";
    case Verdict::allow:
      return "allow";
  }
  return "deny";
}

std::string_view to_string(Reason reason) noexcept {
  switch (reason) {
    case Reason::ip_rule:
      return "ip_rule";
    case Reason::vnet_rule:
      return "vnet_rule";
    case Reason::private_endpoint:
      return "private_endpoint";
    case Reason::unknown_network:
      return "unknown_network";
    case Reason::ambiguous_network:
      return "ambiguous_network";
    case Reason::locked_down:
      return "locked_down";
    case Reason::denied_by_rule:
      return "denied_by_rule";
    case Reason::endpoint_not_approved:
      return "endpoint_not_approved";
    case Reason::public_access_disabled:
      return "public_access_disabled";
    case Reason::rule_expired:
      return "rule_expired";
    case Reason::rule_not_yet_valid:
      return "rule_not_yet_valid";
    case Reason::no_matching_rule:
      return "no_matching_rule";
    case Reason::blocked:
      return "blocked";
    case Reason::unknown_server:
      return "unknown_server";
    case Reason::undecided:
      return "undecided";
  }
  return "undecided";
}

std::string_view to_string(RuleKind kind) noexcept {
  switch (kind) {
    case RuleKind::ip:
      return "ip";
    case RuleKind::vnet:
      return "vnet";
    case RuleKind::private_endpoint:
      return "private_endpoint";
    case RuleKind::deny:
      return "deny";
  }
  return "deny";
}

}  // namespace gatehouse::rules
