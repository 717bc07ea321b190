// A ring as one connection is shown it: true but for the addresses.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gateway/cassandra/bytes.h"
#include "gateway/cassandra/ring.h"

namespace gatehouse::cassandra {

// Where clients reach a node through the gateway.
struct Endpoint {
  InetAddress address{};
  std::uint16_t port = 0;

  bool operator==(const Endpoint&) const = default;
};

struct ShownNode {
  const Node* node = nullptr;
  Endpoint endpoint;
  // What is shown as its address among nodes, by which some drivers know who comes and goes. Unset:
  // one that is made up, where nodes share the address of their endpoints.
  std::optional<InetAddress> among_nodes{};
  // What is shown as its schema's version. Unset: what the ring has.
  std::optional<Uuid> schema_version{};
};

// Points into `ring`, and lives no longer.
struct TopologyView {
  const Ring* ring = nullptr;
  ShownNode local;               // the node that this connection is with
  std::vector<ShownNode> peers;  // the others
  // Whether system.peers, which has no ports, lists them too. To those who know only that table,
  // nodes that share an address would be one.
  bool lists_old_peers = true;
};

}  // namespace gatehouse::cassandra
