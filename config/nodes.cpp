// How a Cassandra listener shows the cluster's nodes.
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "config/listeners.h"
#include "config/values.h"

namespace gatehouse::config {
namespace {

using PortRange = std::pair<std::uint16_t, std::uint16_t>;

// A port above 0 at the start of `text`, which it is taken from.
std::optional<std::uint16_t> take_port(std::string_view& text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [after, failure] = std::from_chars(text.data(), end, port);
  if (failure != std::errc() || port == 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(after - text.data()));
  return port;
}

// 19042-19091, or a number: one port, or 0 for any free ones.
std::optional<PortRange> read_ports(const Value& value) {
  if (value.node().kind == YamlKind::integer) {
    const auto port = value.integer(0, 65535);
    if (!port) return std::nullopt;
    return PortRange{static_cast<std::uint16_t>(*port), static_cast<std::uint16_t>(*port)};
  }
  const auto text = value.text();
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  const auto first = take_port(rest);
  const bool has_hyphen = rest.starts_with('-');
  if (has_hyphen) rest.remove_prefix(1);
  const auto last = take_port(rest);
  if (first && has_hyphen && last && rest.empty()) {
    if (*first <= *last) return PortRange{*first, *last};
    value.error(in_quotes(*text) + " starts after it ends", "the lower port comes first");
    return std::nullopt;
  }
  value.error(in_quotes(*text) + " is no range of ports",
              "write it like 19042-19091, or 0 for any free ones");
  return std::nullopt;
}

}  // namespace

Nodes read_nodes(const Value& value) {
  Nodes nodes;
  read_fields(value, [&](Fields& fields) {
    fields.read("mode", nodes.mode,
                one_of<NodesMode>({{"port_per_node", NodesMode::port_per_node},
                                   {"address_per_node", NodesMode::address_per_node},
                                   {"single", NodesMode::single}}));
    const auto ports = fields.find("ports");
    if (ports) {
      const auto range = read_ports(*ports).value_or(PortRange{0, 0});
      nodes.first_port = range.first;
      nodes.last_port = range.second;
      if (nodes.mode != NodesMode::port_per_node) {
        ports->error("only 'mode: port_per_node' takes ports");
      }
    }
    const auto addresses = fields.find("addresses");
    if (addresses) {
      nodes.addresses = list_of(read_address)(*addresses).value_or(nodes.addresses);
      if (nodes.mode != NodesMode::address_per_node) {
        addresses->error("only 'mode: address_per_node' takes addresses");
      }
    } else if (nodes.mode == NodesMode::address_per_node) {
      value.file().diagnostics.error(
          value.at(), "missing key 'addresses', which 'mode: address_per_node' needs");
    }
    fields.read("public_address", nodes.public_address, read_address);
  });
  return nodes;
}

}  // namespace gatehouse::config
