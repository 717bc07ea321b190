#include "config/network_section.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "config/names.h"
#include "config/values.h"

namespace gatehouse::config {
namespace {

// What is embedded below it is an IPv4 address: the prefix leaves 32 bits, no more and no less.
std::optional<rules::IpRange> read_ipv6_prefix(const Value& value) {
  const auto range = read_range(value);
  if (!range) return std::nullopt;
  constexpr std::uint64_t low_32 = 0xFFFFFFFF;
  const auto first = range->first.bits();
  const auto last = range->last.bits();
  const bool is_96 = !range->first.is_v4() && first.high == last.high &&
                     (first.low & low_32) == 0 && last.low == (first.low | low_32);
  if (is_96) return range;
  value.error("must be an IPv6 block of /96, whose low 32 bits hold the IPv4 address",
              "write it like fd40:1::/96");
  return std::nullopt;
}

// `is_only_key`: it alone says which network it is. `has_id`: a header must say so too.
std::string read_matching_listener(const Value& value, const std::vector<Listener>& listeners,
                                   bool is_only_key, bool has_id) {
  const auto name = value.text();
  if (!name) return {};
  const auto listener = std::find_if(listeners.begin(), listeners.end(),
                                     [&](const Listener& other) { return other.name == *name; });
  if (listener != listeners.end()) {
    if (is_only_key && !listener->device) {
      value.file().diagnostics.warning(
          value.at(),
          in_quotes(*name) +
              " has no 'device': what reaches its address by another interface counts "
              "as this network too",
          "bind the listener to the network's interface by 'device'");
    }
    if (has_id && !listener->proxy_protocol) {
      value.file().diagnostics.warning(
          value.at(), in_quotes(*name) + " has no 'proxy_protocol': no id ever arrives there",
          "name the listener that the load balancer leads to");
    }
  } else if (!listeners.empty()) {
    value.error(in_quotes(*name) + " is no listener", suggest(*name, names_of(listeners)));
  }
  return *name;
}

std::optional<std::string> read_vpce_id(const Value& value) {
  auto text = value.text();
  // No header with a longer one is read.
  if (text && text->size() > rules::HeaderIds::aws_vpce_id_max)
    value.error("is too long for an endpoint's id");
  return text;
}

rules::NetworkMatcher read_matcher(const Value& value, const std::vector<Listener>& listeners) {
  rules::NetworkMatcher matcher;
  read_fields(value, [&](Fields& fields) {
    const auto& entries = value.node().entries;
    if (value.node().kind == YamlKind::mapping && entries.empty()) {
      value.error("an entry without a key would match everything",
                  "name a listener, an id or a prefix");
    }
    fields.read("azure_link_id", matcher.azure_link_id,
                integer_between(0, std::numeric_limits<std::uint32_t>::max()));
    fields.read("aws_vpce_id", matcher.aws_vpce_id, read_vpce_id);
    fields.read("gcp_psc_connection_id", matcher.gcp_psc_connection_id,
                integer_between(0, std::numeric_limits<std::uint64_t>::max()));
    fields.read("ipv6_prefix", matcher.ipv6_prefix, read_ipv6_prefix);
    if (const auto listener = fields.find("listener")) {
      const bool has_id =
          matcher.azure_link_id || matcher.aws_vpce_id || matcher.gcp_psc_connection_id;
      matcher.listener = read_matching_listener(*listener, listeners, entries.size() == 1, has_id);
    }
  });
  return matcher;
}

rules::Subnet read_subnet(const Value& value, NamesInUse& names) {
  rules::Subnet subnet;
  read_fields(value, [&](Fields& fields) {
    fields.require("name", subnet.name, unique_in(names, read_name));
    fields.require("range", subnet.range, read_range);
  });
  return subnet;
}

// What two networks match alike is of neither.
void check_is_new(const Value& entry, const rules::NetworkMatcher& matcher,
                  const std::vector<rules::Network>& earlier) {
  for (const rules::Network& network : earlier) {
    const auto& matched_by = network.matched_by;
    if (std::find(matched_by.begin(), matched_by.end(), matcher) == matched_by.end()) continue;
    entry.file().diagnostics.warning(
        entry.at(), "network " + in_quotes(network.name) + " is matched by this too",
        "what arrives so is denied as ambiguous: let one of the two have it");
  }
}

rules::Network read_network(const Value& value, NamesInUse& names,
                            const std::vector<Listener>& listeners,
                            const std::vector<rules::Network>& earlier) {
  rules::Network network;
  read_fields(value, [&](Fields& fields) {
    fields.require("name", network.name, unique_in(names, read_name));
    if (const auto matched_by = fields.require("matched_by")) {
      for (const Value& item : matched_by->items()) {
        network.matched_by.push_back(read_matcher(item, listeners));
        check_is_new(item, network.matched_by.back(), earlier);
      }
    }
    if (const auto subnets = fields.find("subnets")) {
      NamesInUse subnet_names;
      for (const Value& item : subnets->any_items()) {
        network.subnets.push_back(read_subnet(item, subnet_names));
      }
    }
  });
  return network;
}

}  // namespace

std::vector<rules::Network> read_networks(const Value& value,
                                          const std::vector<Listener>& listeners) {
  NamesInUse names;
  std::vector<rules::Network> networks;
  for (const Value& item : value.any_items()) {
    networks.push_back(read_network(item, names, listeners, networks));
  }
  return networks;
}

}  // namespace gatehouse::config
