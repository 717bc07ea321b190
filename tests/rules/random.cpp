#include "tests/rules/random.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "rules/explain.h"
#include "tests/rules/build.h"

namespace gatehouse::rules::test {
namespace {

constexpr std::uint64_t usual_seed = 20261121;

std::uint64_t find_seed() {
  const char* const text = std::getenv("GATEHOUSE_TEST_SEED");  // NOLINT(concurrency-mt-unsafe)
  return text == nullptr ? usual_seed : std::strtoull(text, nullptr, 10);
}

IpAddress from_corner(Random& random, bool is_v4) {
  const std::uint64_t offset = random.below(4);
  const bool is_top = random.one_in(2);
  if (is_v4) {
    const auto low = static_cast<std::uint32_t>(offset);
    return IpAddress::v4(is_top ? ~low : low);
  }
  return IpAddress::v6_border(is_top ? ~Bits128{0, offset} : Bits128{0, offset});
}

Addresses random_addresses(Random& random) {
  if (!random.one_in(4)) return random_range(random);
  std::vector<IpRange> ranges(random.below(5));
  for (IpRange& range : ranges) range = random_range(random);
  return std::make_shared<const RangeSet>(ranges);
}

std::string to_text(const Addresses& addresses) {
  if (const auto* range = std::get_if<IpRange>(&addresses)) return range->to_string();
  std::string text = "[";
  const auto& list = *std::get<std::shared_ptr<const RangeSet>>(addresses);
  for (const V4Range& range : list.v4()) text += to_ip_range(range).to_string() + ' ';
  for (const V6Range& range : list.v6()) text += to_ip_range(range).to_string() + ' ';
  return text + ']';
}

std::string to_text(NetworkId network) {
  return "network " + std::to_string(static_cast<std::uint32_t>(network));
}

std::string to_text(const Rule& rule) {
  std::string text = rule.name + ": " + std::string(to_string(rule.kind())) + ' ';
  if (const Addresses* addresses = addresses_of(rule)) text += to_text(*addresses);
  if (const auto* vnet = std::get_if<VnetRule>(&rule.what)) {
    text += to_text(vnet->network);
    if (vnet->subnet) text += ' ' + vnet->subnet->range.to_string();
  }
  if (const auto* endpoint = std::get_if<PrivateEndpoint>(&rule.what)) {
    text +=
        to_text(endpoint->network) + " state " + std::to_string(static_cast<int>(endpoint->state));
  }
  if (rule.window.not_before) text += " from " + to_string(*rule.window.not_before);
  if (rule.window.expires) text += " until " + to_string(*rule.window.expires);
  return text;
}

}  // namespace

Random::Random() : engine_(find_seed()) {
  std::cout << "GATEHOUSE_TEST_SEED=" << find_seed() << '\n';
}

IpAddress random_address(Random& random) {
  const bool is_v4 = !random.one_in(3);
  if (random.one_in(6)) return from_corner(random, is_v4);
  const std::uint64_t offset = random.below(40);
  if (is_v4) return IpAddress::v4(0x0a00fff0 + static_cast<std::uint32_t>(offset));
  // Across the border between the halves of 64 bits.
  return IpAddress::v6_border(Bits128{0x20010db800000000, ~std::uint64_t{19}} + Bits128{0, offset});
}

IpRange random_range(Random& random) {
  if (random.one_in(12)) return random.one_in(2) ? all_v4 : all_v6;
  const IpAddress first = random_address(random);
  if (random.one_in(4)) return {first, first};
  IpAddress last = random_address(random);
  while (last.is_v4() != first.is_v4()) last = random_address(random);
  return {std::min(first, last), std::max(first, last)};
}

Time random_time(Random& random) {
  return at(static_cast<long>(random.below(20)));
}

Window random_window(Random& random) {
  Window window;
  if (random.one_in(3)) window.not_before = random_time(random);
  if (random.one_in(3)) window.expires = random_time(random);
  return window;
}

Arrival random_arrival(Random& random) {
  switch (random.below(12)) {
    case 0:
      return by_unknown;
    case 1:
      return by_ambiguous;
    case 2:
    case 3:
    case 4:
    case 5:
      return by_public_address;
    default:
      return by(NetworkId{static_cast<std::uint32_t>(random.below(network_count + 1))});
  }
}

Rule random_rule(Random& random, RuleKind kind, std::string name) {
  const Window window = random_window(random);
  const auto network = static_cast<NetworkId>(random.below(network_count));
  switch (kind) {
    case RuleKind::ip:
      return ip_rule(std::move(name), random_addresses(random), window);
    case RuleKind::deny:
      return deny_rule(std::move(name), random_addresses(random), window);
    case RuleKind::vnet:
      if (random.one_in(3)) return vnet_rule(std::move(name), network, window);
      return rule(std::move(name),
                  VnetRule{.network = network, .subnet = Subnet{"subnet", random_range(random)}},
                  window);
    case RuleKind::private_endpoint:
      return endpoint(std::move(name), network, static_cast<EndpointState>(random.below(3)),
                      window);
  }
  return {};
}

PolicySpec random_policy(Random& random, std::size_t most) {
  PolicySpec spec = spec_of({});
  spec.locked_down = random.one_in(25);
  if (random.one_in(6)) spec.public_network_access = PublicNetworkAccess::disabled;
  std::vector<int> names(random.below(most + 1));
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = static_cast<int>(i);
  std::shuffle(names.begin(), names.end(), random.engine());
  for (const int name : names) {
    // Denying rules are rarer, or little would be allowed.
    static const std::vector<RuleKind> kinds{RuleKind::ip,   RuleKind::ip,
                                             RuleKind::vnet, RuleKind::vnet,
                                             RuleKind::deny, RuleKind::private_endpoint};
    spec.rules.push_back(random_rule(random, random.pick(kinds), "rule-" + std::to_string(name)));
  }
  return spec;
}

std::string to_text(const PolicySpec& spec) {
  std::string text = "server " + spec.server;
  if (spec.locked_down) text += ", locked down";
  if (spec.public_network_access == PublicNetworkAccess::disabled) text += ", not public";
  for (const Rule& rule : spec.rules) text += "\n  " + to_text(rule);
  return text;
}

std::string to_text(const Facts& facts) {
  std::string text = facts.address ? facts.address->to_string() : "any address";
  if (!facts.arrival) {
    text += " by any way";
  } else if (facts.arrival->way == Arrival::Way::network) {
    text += " by " + to_text(facts.arrival->network);
  } else {
    text += " by way " + std::to_string(static_cast<int>(facts.arrival->way));
  }
  return text + " at " + to_string(facts.now);
}

std::string to_text(const Decision& decision) {
  std::string text(to_string(decision.verdict));
  text += ' ';
  text += to_string(decision.reason);
  return decision.rule == nullptr ? text : text + ' ' + decision.rule->name;
}

}  // namespace gatehouse::rules::test
