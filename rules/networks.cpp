#include "rules/networks.h"

#include <algorithm>
#include <utility>

namespace gatehouse::rules {
namespace {

// A key that is not set agrees with everything; one that is set only with the same known value.
template <typename Key, typename Value>
bool agrees(const std::optional<Key>& key, const std::optional<Value>& value) {
  return !key || (value && *key == *value);
}

bool has_any_key(const NetworkMatcher& entry) {
  return entry.listener || entry.azure_link_id || entry.aws_vpce_id ||
         entry.gcp_psc_connection_id || entry.ipv6_prefix;
}

bool matches(const NetworkMatcher& entry, std::string_view listener, const IpAddress& address,
             const HeaderIds& ids) {
  return has_any_key(entry) && (!entry.listener || *entry.listener == listener) &&
         agrees(entry.azure_link_id, ids.azure_link_id) &&
         agrees(entry.aws_vpce_id, ids.aws_vpce_id) &&
         agrees(entry.gcp_psc_connection_id, ids.gcp_psc_connection_id) &&
         (!entry.ipv6_prefix || entry.ipv6_prefix->contains(address));
}

// What the entries that matched as a whole say together.
struct Match {
  std::optional<NetworkId> network;
  bool is_ambiguous = false;
  bool azure_named = false;
  bool aws_named = false;
  bool gcp_named = false;
  bool embeds_v4 = false;

  void add(NetworkId id, const NetworkMatcher& entry) {
    is_ambiguous |= network && *network != id;
    network = id;
    azure_named |= entry.azure_link_id.has_value();
    aws_named |= entry.aws_vpce_id.has_value();
    gcp_named |= entry.gcp_psc_connection_id.has_value();
    embeds_v4 |= entry.ipv6_prefix.has_value();
  }

  [[nodiscard]] bool names_all(const HeaderIds& ids) const {
    return (azure_named || !ids.azure_link_id) && (aws_named || !ids.aws_vpce_id) &&
           (gcp_named || !ids.gcp_psc_connection_id);
  }
};

// Of the blocks that are no host's: this network, loopback, multicast and what is reserved
// (RFC 6890). The sender chooses the 32 bits, and a database may take 127.0.0.1 for itself.
bool is_hosts(const IpAddress& address) {
  const std::uint32_t first = address.v4_value() >> 24;
  return first != 0 && first != 127 && first < 224;
}

IpAddress embedded_v4(const IpAddress& address) {
  return IpAddress::v4(static_cast<std::uint32_t>(address.bits().low));
}

}  // namespace

NetworkMap::NetworkMap(std::vector<Network> networks) : networks_(std::move(networks)) {}

Identity NetworkMap::identify(std::string_view listener, const IpAddress& address,
                              const HeaderIds& ids) const noexcept {
  Match match;
  for (std::size_t i = 0; i < networks_.size(); ++i) {
    for (const NetworkMatcher& entry : networks_[i].matched_by) {
      if (matches(entry, listener, address, ids)) match.add(static_cast<NetworkId>(i), entry);
    }
  }
  if (ids.repeated || match.is_ambiguous) return {address, {Arrival::Way::ambiguous_network, {}}};
  if (!match.names_all(ids)) return {address, {Arrival::Way::unknown_network, {}}};
  if (!match.network) return {address, {Arrival::Way::public_address, {}}};
  if (!match.embeds_v4) return {address, {Arrival::Way::network, *match.network}};
  const IpAddress embedded = embedded_v4(address);
  if (!is_hosts(embedded)) return {address, {Arrival::Way::ambiguous_network, {}}};
  return {embedded, {Arrival::Way::network, *match.network}};
}

std::optional<NetworkId> NetworkMap::find(std::string_view name) const noexcept {
  const auto found = std::find_if(networks_.begin(), networks_.end(),
                                  [&](const Network& network) { return network.name == name; });
  if (found == networks_.end()) return std::nullopt;
  return static_cast<NetworkId>(found - networks_.begin());
}

const Network& NetworkMap::operator[](NetworkId id) const noexcept {
  return networks_[static_cast<std::size_t>(id)];
}

const Subnet* NetworkMap::subnet(NetworkId id, const IpAddress& address) const noexcept {
  const auto size = [](const Subnet& subnet) {
    return subnet.range.last.bits() - subnet.range.first.bits();
  };
  const Subnet* narrowest = nullptr;
  for (const Subnet& subnet : (*this)[id].subnets) {
    if (!subnet.range.contains(address)) continue;
    if (narrowest == nullptr || size(subnet) < size(*narrowest)) narrowest = &subnet;
  }
  return narrowest;
}

}  // namespace gatehouse::rules
