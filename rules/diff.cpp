#include "rules/diff.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace gatehouse::rules {
namespace {

constexpr std::uint32_t number_after(std::uint32_t number) {
  return number + 1;
}
constexpr std::uint32_t number_before(std::uint32_t number) {
  return number - 1;
}
constexpr Bits128 number_after(Bits128 number) {
  return number + Bits128{0, 1};
}
constexpr Bits128 number_before(Bits128 number) {
  return number - Bits128{0, 1};
}

template <typename Number>
const std::vector<NumberRange<Number>>& ranges_of(const RangeSet& set);
template <>
const std::vector<V4Range>& ranges_of(const RangeSet& set) {
  return set.v4();
}
template <>
const std::vector<V6Range>& ranges_of(const RangeSet& set) {
  return set.v6();
}

// One server, seen by the sources of one network, before or after.
struct Side {
  const Policy* policy = nullptr;  // null: the server is not there, so nobody gets in
  Arrival arrival;                 // unknown_network: the network is not there

  [[nodiscard]] Decision decide(const IpAddress& address, Time now) const {
    if (policy == nullptr) return {};
    return policy->decide({.address = address, .arrival = arrival, .now = now});
  }

  // Calls `visit` with what each rule in force that may judge these sources says: an IpRange or a
  // RangeSet, and whether it is a deny rule.
  template <typename Visit>
  void for_each_address_set(Time now, const Visit& visit) const;
};

template <typename Visit>
void Side::for_each_address_set(Time now, const Visit& visit) const {
  if (policy == nullptr || arrival.way == Arrival::Way::unknown_network) return;
  const bool is_public = arrival.way == Arrival::Way::public_address;
  const auto visit_everything = [&] {
    visit(all_v4, false);
    visit(all_v6, false);
  };
  for (const Rule& rule : policy->rules()) {
    if (rule.window.at(now) != Window::At::in_force) continue;
    const bool is_deny = rule.kind() == RuleKind::deny;
    if (const Addresses* addresses = addresses_of(rule)) {
      if (!is_deny && !is_public) continue;
      if (const auto* range = std::get_if<IpRange>(addresses)) {
        visit(*range, is_deny);
      } else if (const auto& list = std::get<std::shared_ptr<const RangeSet>>(*addresses)) {
        visit(*list, is_deny);
      }
    } else if (const auto* vnet = std::get_if<VnetRule>(&rule.what)) {
      if (is_public || vnet->network != arrival.network) continue;
      if (vnet->subnet) {
        visit(vnet->subnet->range, false);
      } else {
        visit_everything();
      }
    } else if (const auto* endpoint = std::get_if<PrivateEndpoint>(&rule.what)) {
      const bool is_approved = endpoint->state == EndpointState::approved;
      if (!is_public && is_approved && endpoint->network == arrival.network) visit_everything();
    }
  }
}

struct Comparison {
  std::string_view server;
  std::string_view network;
  Side before;
  Side after;
  Time now;
};

// What some rule in force of either side would let in, were there no deny rules: nobody else gains
// or loses anything, so a deny list of a million ranges costs only what it shares with these.
RangeSet find_candidates(const Comparison& comparison) {
  std::vector<V4Range> v4;
  std::vector<V6Range> v6;
  const auto add_range = [&](const IpRange& range) {
    if (range.first.is_v4()) {
      v4.push_back({range.first.v4_value(), range.last.v4_value()});
    } else {
      v6.push_back({range.first.bits(), range.last.bits()});
    }
  };
  const auto add = [&](const auto& addresses, bool is_deny) {
    if (is_deny) return;
    if constexpr (std::is_same_v<std::decay_t<decltype(addresses)>, IpRange>) {
      add_range(addresses);
    } else {
      v4.insert(v4.end(), addresses.v4().begin(), addresses.v4().end());
      v6.insert(v6.end(), addresses.v6().begin(), addresses.v6().end());
    }
  };
  comparison.before.for_each_address_set(comparison.now, add);
  comparison.after.for_each_address_set(comparison.now, add);
  return {std::move(v4), std::move(v6)};
}

// Where a segment starts within which every rule in force matches either all or nothing: sorted,
// and within the candidates.
template <typename Number>
std::vector<Number> find_borders(const Comparison& comparison, const RangeSet& candidates) {
  std::vector<Number> borders;
  const auto add_start = [&](Number number) {
    const auto start = to_ip_range(NumberRange<Number>{number, number}).first;
    if (candidates.contains(start)) borders.push_back(number);
  };
  const auto add_range = [&](const NumberRange<Number>& range) {
    add_start(range.first);
    // After the last address of all comes 0: a needless border, never a wrong one.
    add_start(number_after(range.last));
  };
  const auto add = [&](const auto& addresses, bool) {
    if constexpr (std::is_same_v<std::decay_t<decltype(addresses)>, IpRange>) {
      const RangeSet single(addresses);
      for (const auto& range : ranges_of<Number>(single)) add_range(range);
    } else {
      for (const auto& range : ranges_of<Number>(addresses)) add_range(range);
    }
  };
  comparison.before.for_each_address_set(comparison.now, add);
  comparison.after.for_each_address_set(comparison.now, add);
  std::sort(borders.begin(), borders.end());
  borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
  return borders;
}

void add_change(std::vector<AccessChange>& changes, const Comparison& comparison,
                const IpRange& sources, const Rule* rule, bool continues_last) {
  if (continues_last && !changes.empty() && changes.back().rule == rule) {
    changes.back().sources.last = sources.last;
    return;
  }
  changes.push_back({.server = std::string(comparison.server),
                     .sources = sources,
                     .network = std::string(comparison.network),
                     .rule = rule});
}

template <typename Number>
void compare_family(const Comparison& comparison, const RangeSet& candidates, AccessDiff& diff) {
  const std::vector<Number> borders = find_borders<Number>(comparison, candidates);
  auto border = borders.begin();
  enum class Last { none, gained, lost };
  for (const NumberRange<Number>& candidate : ranges_of<Number>(candidates)) {
    Last last = Last::none;  // what the segment that ends right here was
    while (border != borders.end() && *border <= candidate.last) {
      const Number first = *border++;
      const bool is_final = border == borders.end() || *border > candidate.last;
      const IpRange segment = to_ip_range(
          NumberRange<Number>{first, is_final ? candidate.last : number_before(*border)});
      const Decision before = comparison.before.decide(segment.first, comparison.now);
      const Decision after = comparison.after.decide(segment.first, comparison.now);
      const bool was_in = before.verdict == Verdict::allow;
      const bool is_in = after.verdict == Verdict::allow;
      if (was_in == is_in) {
        last = Last::none;
      } else if (is_in) {
        add_change(diff.gained, comparison, segment, after.rule, last == Last::gained);
        last = Last::gained;
      } else {
        add_change(diff.lost, comparison, segment, before.rule, last == Last::lost);
        last = Last::lost;
      }
    }
  }
}

const Policy* find_policy(const PolicySet& set, std::string_view server) {
  const auto found = std::find_if(set.policies.begin(), set.policies.end(),
                                  [&](const Policy* policy) { return policy->server() == server; });
  return found == set.policies.end() ? nullptr : *found;
}

// An empty name stands for public sources.
Arrival find_arrival(const PolicySet& set, std::string_view network) {
  if (network.empty()) return {.way = Arrival::Way::public_address, .network = {}};
  const auto id = set.networks == nullptr ? std::nullopt : set.networks->find(network);
  if (!id) return {.way = Arrival::Way::unknown_network, .network = {}};
  return {.way = Arrival::Way::network, .network = *id};
}

}  // namespace

AccessDiff diff(const PolicySet& before, const PolicySet& after, Time now) {
  std::set<std::string_view> servers;
  std::set<std::string_view> networks{""};
  for (const PolicySet* set : {&before, &after}) {
    for (const Policy* policy : set->policies) servers.insert(policy->server());
    if (set->networks == nullptr) continue;
    for (const Network& network : set->networks->all()) networks.insert(network.name);
  }
  AccessDiff result;
  for (const std::string_view server : servers) {
    const Policy* const old_policy = find_policy(before, server);
    const Policy* const new_policy = find_policy(after, server);
    for (const std::string_view network : networks) {
      const Comparison comparison{
          .server = server,
          .network = network,
          .before = {.policy = old_policy, .arrival = find_arrival(before, network)},
          .after = {.policy = new_policy, .arrival = find_arrival(after, network)},
          .now = now};
      const RangeSet candidates = find_candidates(comparison);
      compare_family<std::uint32_t>(comparison, candidates, result);
      compare_family<Bits128>(comparison, candidates, result);
    }
  }
  return result;
}

}  // namespace gatehouse::rules
