#include "gateway/given_nodes.h"

#include <algorithm>

#include "gateway/limits.h"

namespace gatehouse {

namespace {

bool takes_any_port(const config::Nodes& nodes) {
  return nodes.mode == config::NodesMode::port_per_node && nodes.first_port == 0;
}

bool is_of(const GivenPlace& place, const config::Nodes& nodes) {
  if (const auto* address = std::get_if<rules::IpAddress>(&place)) {
    return nodes.mode == config::NodesMode::address_per_node &&
           std::ranges::find(nodes.addresses, *address) != nodes.addresses.end();
  }
  const std::uint16_t port = std::get<std::uint16_t>(place);
  return nodes.mode == config::NodesMode::port_per_node &&
         (takes_any_port(nodes) || (nodes.first_port <= port && port <= nodes.last_port));
}

// In the order in which they are given.
template <typename Visit>
std::optional<GivenPlace> find_place(const config::Nodes& nodes, const Visit& is_free) {
  if (nodes.mode == config::NodesMode::address_per_node) {
    const auto found = std::ranges::find_if(nodes.addresses, is_free);
    if (found == nodes.addresses.end()) return std::nullopt;
    return *found;
  }
  for (std::uint32_t port = nodes.first_port; port <= nodes.last_port; ++port) {
    const GivenPlace place = static_cast<std::uint16_t>(port);
    if (is_free(place)) return place;
  }
  return std::nullopt;
}

}  // namespace

void keep_to(GivenNodes& given, const config::Nodes& nodes) {
  std::erase_if(given, [&](const auto& entry) { return !is_of(entry.second.place, nodes); });
}

void follow_ring(GivenNodes& given, const cassandra::Ring& ring, rules::Time now) {
  for (auto& [host_id, node] : given) {
    if (ring.find(host_id) != nullptr) {
      node.left.reset();
    } else if (!node.left) {
      node.left = now;
    }
  }
}

std::optional<Offer> offer_for_new(const GivenNodes& given, const config::Nodes& nodes,
                                   const std::set<GivenPlace>& avoided, rules::Time now) {
  if (given.size() < limits::node_places) {
    std::set<GivenPlace> taken = avoided;
    for (const auto& [host_id, node] : given) taken.insert(node.place);
    const auto place =
        find_place(nodes, [&](const GivenPlace& found) { return !taken.contains(found); });
    if (place) return Offer{.place = *place, .former = std::nullopt};
  }
  const GivenNodes::value_type* first = nullptr;
  for (const auto& entry : given) {
    const GivenNode& node = entry.second;
    if (!node.left || now - *node.left < limits::node_place_kept) continue;
    if (avoided.contains(node.place)) continue;
    if (first == nullptr || *node.left < *first->second.left) first = &entry;
  }
  if (first == nullptr) return std::nullopt;
  return Offer{.place = first->second.place, .former = first->first};
}

bool has_place(const GivenNodes& given, const GivenPlace& place) {
  return std::ranges::any_of(given, [&](const auto& entry) { return entry.second.place == place; });
}

}  // namespace gatehouse
