#include "config/rule_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "config/values.h"

namespace gatehouse::config {

void RuleReader::read(Fields& fields) {
  read_rules(fields, "ip_rules",
             [this](Fields& rule) { return rules::IpRule{read_addresses(rule)}; });
  read_rules(fields, "vnet_rules", [this](Fields& rule) { return read_vnet_rule(rule); });
  read_rules(fields, "private_endpoints",
             [this](Fields& rule) { return read_private_endpoint(rule); });
  read_rules(fields, "deny_rules",
             [this](Fields& rule) { return rules::DenyRule{read_addresses(rule)}; });
}

template <typename ReadWhat>
void RuleReader::read_rules(Fields& fields, std::string_view key, ReadWhat&& read_what) {
  const auto list = fields.find(key);
  if (!list) return;
  for (const Value& item : list->any_items()) {
    rules::Rule rule;
    rule.origin = {item.at().file, item.at().line};
    read_fields(item, [&](Fields& rule_fields) {
      read_common(rule_fields, rule);
      rule.what = read_what(rule_fields);
    });
    for (ServerRules* target : targets_) target->spec.rules.push_back(rule);
  }
}

void RuleReader::read_common(Fields& fields, rules::Rule& rule) {
  if (const auto name = fields.require("name")) {
    rule.name = read_name(*name).value_or("");
    for (ServerRules* target : targets_) {
      if (rule.name.empty()) break;
      target->names.add(*name, rule.name, fmt::format(" for server '{}'", target->spec.server));
    }
  }
  fields.read("description", rule.description, read_text);
  fields.read("owner", rule.owner, read_text);
  auto& [not_before, expires] = rule.window;
  fields.read("not_before", not_before, read_time);
  if (const auto value = fields.find("expires")) {
    expires = read_time(*value);
    if (not_before && expires && *not_before >= *expires) {
      value->error("must be later than 'not_before'");
    }
  }
}

rules::Addresses RuleReader::read_addresses(Fields& fields) {
  const auto range = fields.find("range");
  const auto list = fields.find("list");
  rules::IpRange addresses;
  if (range) addresses = read_range(*range).value_or(addresses);
  if (list) {
    auto set = lists_.read(*list);
    if (!range && set) return set;
  }
  if (range && list) {
    list->error("a rule has a 'range' or a 'list', not both", "write two rules");
  } else if (!range && !list && fields.is_mapping()) {
    fields.mapping().file().diagnostics.error(fields.mapping().at(),
                                              "missing key 'range' or 'list'");
  }
  return addresses;
}

rules::VnetRule RuleReader::read_vnet_rule(Fields& fields) {
  rules::VnetRule rule;
  const auto value = fields.require("subnet");
  const auto text = value ? value->text() : std::nullopt;
  if (!text) return rule;
  const auto slash = text->find('/');
  const auto network = find_network(*value, std::string_view(*text).substr(0, slash));
  if (!network) return rule;
  rule.network = *network;
  note_network(*value, *network, false);
  if (slash == std::string::npos) return rule;

  const std::string_view name = std::string_view(*text).substr(slash + 1);
  const auto& subnets = networks_[*network].subnets;
  const auto subnet = std::find_if(subnets.begin(), subnets.end(),
                                   [&](const rules::Subnet& other) { return other.name == name; });
  if (subnet != subnets.end()) {
    rule.subnet = *subnet;
  } else {
    value->error(
        fmt::format("network '{}' has no subnet {}", networks_[*network].name, in_quotes(name)),
        suggest(name, names_of(subnets)));
  }
  return rule;
}

rules::PrivateEndpoint RuleReader::read_private_endpoint(Fields& fields) {
  rules::PrivateEndpoint endpoint;
  if (const auto value = fields.require("network")) {
    const auto name = value->text();
    const auto network = name ? find_network(*value, *name) : std::nullopt;
    if (network) {
      endpoint.network = *network;
      note_network(*value, *network, true);
    }
  }
  fields.read("state", endpoint.state,
              one_of<rules::EndpointState>({{"pending", rules::EndpointState::pending},
                                            {"approved", rules::EndpointState::approved},
                                            {"rejected", rules::EndpointState::rejected}}));
  return endpoint;
}

std::optional<rules::NetworkId> RuleReader::find_network(const Value& value,
                                                         std::string_view name) {
  const auto network = networks_.find(name);
  if (network) return network;
  value.error(in_quotes(name) + " is no network", suggest(name, names_of(networks_.all())));
  return std::nullopt;
}

// A private endpoint settles alone who comes by its network, so a vnet rule beside it would never
// be asked.
void RuleReader::note_network(const Value& value, rules::NetworkId network, bool by_endpoint) {
  for (ServerRules* target : targets_) {
    auto& same = by_endpoint ? target->endpoints : target->vnet_rules;
    const auto& others = by_endpoint ? target->vnet_rules : target->endpoints;
    same.try_emplace(network, value.at());
    const auto other = others.find(network);
    if (other == others.end()) continue;
    value.error(fmt::format("network '{}' has both a private endpoint and a vnet rule on server "
                            "'{}'",
                            networks_[network].name, target->spec.server),
                fmt::format("the {} is at {}:{}:{}", by_endpoint ? "vnet rule" : "private endpoint",
                            other->second.file, other->second.line, other->second.column));
  }
}

}  // namespace gatehouse::config
