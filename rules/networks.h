// Virtual networks: how a source's network is known from the way its traffic arrived. An address
// alone cannot tell two networks apart, so identity comes from the listener, from ids in a trusted
// sender's PROXY header, or from an IPv6 prefix that embeds the private IPv4 address.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/ip_address.h"

namespace gatehouse::rules {

// Index of a network within its NetworkMap. Never carried from one map to another.
enum class NetworkId : std::uint32_t {};

struct Subnet {
  std::string name;
  IpRange range;
};

// One entry of `matched_by`: every key that is set must match. Without any key it matches nothing.
struct NetworkMatcher {
  std::optional<std::string> listener;
  std::optional<std::uint32_t> azure_link_id;
  std::optional<std::string> aws_vpce_id;
  std::optional<std::uint64_t> gcp_psc_connection_id;
  std::optional<IpRange> ipv6_prefix;  // a /96; its low 32 bits are the private IPv4 address

  friend bool operator==(const NetworkMatcher&, const NetworkMatcher&) = default;
};

struct Network {
  std::string name;
  std::vector<NetworkMatcher> matched_by;
  std::vector<Subnet> subnets;
};

// Network ids carried by a trusted sender's PROXY v2 header.
struct HeaderIds {
  // AWS's have 22 characters.
  static constexpr std::size_t aws_vpce_id_max = 255;

  std::optional<std::uint32_t> azure_link_id;
  std::optional<std::string> aws_vpce_id;
  std::optional<std::uint64_t> gcp_psc_connection_id;
  bool repeated = false;  // some id field stood in the header more than once

  friend auto operator<=>(const HeaderIds&, const HeaderIds&) = default;
};

// How a source came.
struct Arrival {
  enum class Way {
    public_address,     // by no network: IP rules judge it
    network,            // by `network`: only that network's vnet rules and private endpoints do
    unknown_network,    // carried an id that no network names
    ambiguous_network,  // identities disagree, or an id field was repeated
  };
  Way way = Way::ambiguous_network;
  NetworkId network{};  // Only where way is `network`.
};

struct Identity {
  // What rules see: the embedded IPv4 address where a prefix matched. One that is no host's, such
  // as 127.0.0.1, makes the arrival ambiguous.
  IpAddress address;
  Arrival arrival;
};

// Immutable; read by any thread.
class NetworkMap {
 public:
  NetworkMap() = default;
  explicit NetworkMap(std::vector<Network> networks);

  // Total: every input has exactly one answer. An id counts only through an entry that names it and
  // matches as a whole, so an id named with another listener is unknown here.
  [[nodiscard]] Identity identify(std::string_view listener, const IpAddress& address,
                                  const HeaderIds& ids) const noexcept;

  [[nodiscard]] std::optional<NetworkId> find(std::string_view name) const noexcept;
  // REQUIRES: `id` is of this map.
  [[nodiscard]] const Network& operator[](NetworkId id) const noexcept;
  // The narrowest subnet of the network that contains the address; null if none does.
  [[nodiscard]] const Subnet* subnet(NetworkId id, const IpAddress& address) const noexcept;
  [[nodiscard]] const std::vector<Network>& all() const noexcept { return networks_; }

 private:
  std::vector<Network> networks_;
};

}  // namespace gatehouse::rules
