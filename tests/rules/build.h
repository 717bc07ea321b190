// Short ways to write addresses, rules and facts in tests.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/policy.h"

namespace gatehouse::rules::test {

inline IpAddress address(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  if (!parsed) throw std::invalid_argument("not an address: " + std::string(text));
  return *parsed;
}

inline IpRange range(std::string_view text) {
  const ParsedRange parsed = IpRange::parse(text);
  if (parsed.error) throw std::invalid_argument("not a range: " + std::string(text));
  return parsed.range;
}

inline std::shared_ptr<const RangeSet> list(const std::vector<std::string_view>& texts) {
  std::vector<IpRange> ranges;
  for (const std::string_view text : texts) ranges.push_back(range(text));
  return std::make_shared<const RangeSet>(ranges);
}

inline Time at(long seconds) {
  return Time(std::chrono::seconds(seconds));
}
inline constexpr Window always{};
inline Window until(long seconds) {
  return {.not_before = std::nullopt, .expires = at(seconds)};
}
inline Window from(long seconds) {
  return {.not_before = at(seconds), .expires = std::nullopt};
}

template <typename What>
Rule rule(std::string name, What what, Window window = {}) {
  return {.name = std::move(name),
          .origin = {.file = "rules.yaml", .line = 1},
          .window = window,
          .description = {},
          .owner = {},
          .what = std::move(what)};
}
inline Rule ip_rule(std::string name, Addresses addresses, Window window = {}) {
  return rule(std::move(name), IpRule{std::move(addresses)}, window);
}
inline Rule ip_rule(std::string name, std::string_view text, Window window = {}) {
  return ip_rule(std::move(name), range(text), window);
}
inline Rule deny_rule(std::string name, Addresses addresses, Window window = {}) {
  return rule(std::move(name), DenyRule{std::move(addresses)}, window);
}
inline Rule deny_rule(std::string name, std::string_view text, Window window = {}) {
  return deny_rule(std::move(name), range(text), window);
}
inline Rule vnet_rule(std::string name, NetworkId network, Window window = {}) {
  return rule(std::move(name), VnetRule{.network = network, .subnet = std::nullopt}, window);
}
inline Rule vnet_rule(std::string name, NetworkId network, std::string_view subnet,
                      Window window = {}) {
  return rule(std::move(name),
              VnetRule{.network = network, .subnet = Subnet{"subnet", range(subnet)}}, window);
}
inline Rule endpoint(std::string name, NetworkId network, EndpointState state, Window window = {}) {
  return rule(std::move(name), PrivateEndpoint{.network = network, .state = state}, window);
}

inline constexpr Arrival by_public_address{.way = Arrival::Way::public_address, .network = {}};
inline constexpr Arrival by_unknown{.way = Arrival::Way::unknown_network, .network = {}};
inline constexpr Arrival by_ambiguous{.way = Arrival::Way::ambiguous_network, .network = {}};
inline constexpr Arrival by(NetworkId network) {
  return {.way = Arrival::Way::network, .network = network};
}

inline PolicySpec spec_of(std::vector<Rule> rules) {
  PolicySpec spec;
  spec.server = "orders";
  spec.rules = std::move(rules);
  return spec;
}

}  // namespace gatehouse::rules::test
