#include "gateway/cassandra/candidate.h"

#include <algorithm>
#include <array>

namespace gatehouse::cassandra {

rules::IpAddress to_ip(const InetAddress& address) noexcept {
  if (address.size == address.octets.size()) return rules::IpAddress::v6(address.octets);
  BigEndianReader reader(address.bytes());
  return rules::IpAddress::v4(reader.u32());
}

InetAddress to_inet(const rules::IpAddress& address) noexcept {
  InetAddress inet;
  if (address.is_v4()) {
    const std::uint32_t value = address.v4_value();
    for (int octet = 0; octet < 4; ++octet) {
      inet.octets[static_cast<std::size_t>(octet)] =
          static_cast<std::uint8_t>(value >> (24 - 8 * octet));
    }
  } else {
    inet.octets = address.v6_bytes();
    inet.size = 16;
  }
  return inet;
}

Candidate candidate_of(const config::Backend& backend) {
  return {.place = backend.where, .text = backend.text, .host_id = std::nullopt};
}

Candidate candidate_of(const Node& node) {
  const config::SocketAddress address{to_ip(node.address), node.port};
  return {.place = config::TcpBackend{.host = address.ip.to_string(), .port = node.port},
          .text = to_string(address),
          .host_id = node.host_id};
}

}  // namespace gatehouse::cassandra
