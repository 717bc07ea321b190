// A cluster as one of its nodes describes it: what the gateway's own connection has read from
// system.local, system.peers_v2 and system.peers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/cassandra/bytes.h"
#include "gateway/cassandra/cell.h"

namespace gatehouse::cassandra {

struct Node {
  Uuid host_id{};
  // Where it serves clients (rpc_address, native_address). What no client may learn.
  InetAddress address{};
  std::uint16_t port = 0;
  std::string data_center;
  std::string rack;
  std::string release_version;
  Uuid schema_version{};
  std::vector<std::string> tokens;

  bool operator==(const Node&) const = default;
};

struct Ring {
  std::string cluster_name;
  std::string partitioner;
  std::string cql_version;
  std::string native_protocol_version;
  // From 4.0 on: peers_v2 exists, and columns for ports.
  bool has_ports = true;
  std::vector<Node> nodes;  // by host id, each once; the node that was asked is one of them

  // Null if there is none.
  [[nodiscard]] const Node* find(const Uuid& host_id) const noexcept;
  [[nodiscard]] const Node* find(const InetAddress& address, std::uint16_t port) const noexcept;
  bool operator==(const Ring&) const = default;
};

}  // namespace gatehouse::cassandra
