#include "gateway/cassandra/invented.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include <boost/uuid/name_generator_sha1.hpp>

namespace gatehouse::cassandra {

namespace {

// The namespaces of names that mean different things; random, and never to be changed.
constexpr boost::uuids::uuid server_names{{0x5c, 0x0e, 0x4b, 0x8a, 0x1d, 0x27, 0x4f, 0x63, 0x9a,
                                           0xb1, 0x3e, 0x72, 0xd8, 0x05, 0xc4, 0x96}};
constexpr boost::uuids::uuid statements{{0xe3, 0x91, 0x2f, 0x7d, 0x68, 0xba, 0x4c, 0x15, 0x84, 0x0d,
                                         0xf7, 0x59, 0x2a, 0xc6, 0x1b, 0x40}};
constexpr boost::uuids::uuid results{{0x07, 0xd4, 0xa9, 0x36, 0xfb, 0x52, 0x48, 0xe0, 0xb3, 0x6c,
                                      0x81, 0x1f, 0x9d, 0x43, 0xea, 0x78}};

std::array<std::uint8_t, 16> name_based(const boost::uuids::uuid& name_space, Bytes name) {
  const boost::uuids::uuid uuid =
      boost::uuids::name_generator_sha1(name_space)(name.data(), name.size());
  std::array<std::uint8_t, 16> bytes{};
  std::ranges::copy(uuid, bytes.begin());
  return bytes;
}

}  // namespace

InetAddress stand_in_address(const Uuid& host_id) noexcept {
  constexpr std::uint8_t locally_assigned = 0xFD;
  constexpr std::size_t version_at = 6;  // most of this byte is the same in all random UUIDs
  InetAddress address{.size = 16};
  address.octets[0] = locally_assigned;
  auto* const behind = std::copy_n(host_id.begin(), version_at, address.octets.begin() + 1);
  std::copy(host_id.begin() + version_at + 1, host_id.end(), behind);
  return address;
}

Node virtual_node(const Node& node, std::string_view server_name) {
  Node shown = node;
  shown.host_id = name_based(server_names, bytes_of(server_name));
  if (shown.tokens.size() > 1) shown.tokens.resize(1);
  return shown;
}

std::array<std::uint8_t, 16> topology_statement_id(std::string_view text, std::string_view keyspace,
                                                   bool has_ports) {
  std::vector<std::uint8_t> name;
  append_u8(name, has_ports ? 1 : 0);
  append_string(name, keyspace);
  append_bytes(name, bytes_of(text));
  return name_based(statements, name);
}

std::array<std::uint8_t, 16> result_metadata_id(Bytes column_specs) {
  return name_based(results, column_specs);
}

}  // namespace gatehouse::cassandra
