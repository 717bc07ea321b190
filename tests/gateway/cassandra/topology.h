// A cluster of three nodes, and how a client is shown it: for tests of what is said of nodes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/cassandra/frame.h"
#include "gateway/cassandra/rows.h"
#include "gateway/cassandra/topology_view.h"
#include "tests/gateway/buffers.h"

namespace gatehouse::cassandra::test {

using gatehouse::test::Buffer;

inline InetAddress ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  return {.octets = {a, b, c, d}, .size = 4};
}

// Of a random UUID, but for its last byte.
inline Uuid uuid_of(std::uint8_t last) {
  return {0x1b, 0xe2, 0x4c, 0x8d, 0x70, 0x93, 0x4a, 0xf6,
          0xb5, 0x0e, 0x21, 0xd7, 0x68, 0x3c, 0x9a, last};
}

// Where the nodes really are, which no answer may hold.
inline const std::array<InetAddress, 3> secret_addresses{
    ipv4(10, 66, 77, 1), ipv4(10, 66, 77, 2),
    InetAddress{.octets = {0x20, 0x01, 0x0d, 0xb8, 0x66, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3},
                .size = 16}};
inline constexpr std::array<std::string_view, 3> secret_texts{"10.66.77.1", "10.66.77.2",
                                                              "2001:db8:6677::3"};

inline Ring ring_of_three(bool has_ports = true) {
  Ring ring{.cluster_name = "Events",
            .partitioner = "org.apache.cassandra.dht.Murmur3Partitioner",
            .cql_version = "3.4.7",
            .native_protocol_version = "5",
            .has_ports = has_ports,
            .nodes = {}};
  for (std::uint8_t i = 0; i < 3; ++i) {
    ring.nodes.push_back({.host_id = uuid_of(i),
                          .address = secret_addresses.at(i),
                          .port = 9142,
                          .data_center = "dc1",
                          .rack = "rack" + std::to_string(i),
                          .release_version = has_ports ? "5.0.9" : "3.11.19",
                          .schema_version = uuid_of(0x77),
                          .tokens = {"-" + std::to_string(i + 1), std::to_string(100 + i)}});
  }
  return ring;
}

// The first node is local, and each has a port of one address. `ring` must outlive it.
inline TopologyView view_of(const Ring& ring) {
  const auto shown = [&](std::uint8_t i) {
    const auto port = static_cast<std::uint16_t>(19042 + i);
    return ShownNode{.node = &ring.nodes.at(i),
                     .endpoint = {.address = ipv4(203, 0, 113, 10), .port = port}};
  };
  return {.ring = &ring, .local = shown(0), .peers = {shown(1), shown(2)}};
}

// The content of an answer that is all of a frame. Empty: it is not one, or of another kind.
inline Bytes content_of(Bytes frame, std::uint8_t opcode) {
  const HeaderRead read = read_header(frame, Sender::node);
  const bool is_it = read.outcome == HeaderRead::Outcome::header && read.header.opcode == opcode &&
                     frame.size() == header_size + read.header.length;
  return is_it ? frame.subspan(header_size) : Bytes();
}

}  // namespace gatehouse::cassandra::test
