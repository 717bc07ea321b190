// The cluster of topology.h as one connection may know it.
#pragma once

#include <cstddef>

#include "gateway/cassandra/shown_cluster.h"
#include "tests/gateway/cassandra/topology.h"

namespace gatehouse::cassandra::test {

class ClusterOfThree final : public ShownCluster {
 public:
  static InetAddress address_of_gateway() { return ipv4(203, 0, 113, 10); }

  explicit ClusterOfThree(bool has_ports = true) : ring(ring_of_three(has_ports)) {}

  TopologyView view() override { return view_of(ring); }
  Place place_of(const InetAddress& address, std::uint16_t port) override {
    const Node* const node = first_ring.find(address, port);
    if (node == nullptr || node - first_ring.nodes.data() >= known) return {};
    if (hides_nodes) return {.kind = Place::Kind::hidden};
    const auto at = static_cast<std::uint16_t>(19042 + (node - first_ring.nodes.data()));
    return {.kind = Place::Kind::shown, .endpoint = {address_of_gateway(), at}};
  }
  InetAddress address_told_for(const InetAddress& /*address*/) override {
    return address_of_gateway();
  }
  void schema_has_changed() override { ++schema_changes; }
  bool schema_is_in_doubt() override { return is_in_doubt; }
  PreparedStatements& prepared() noexcept override { return statements; }

  Ring ring;
  Ring first_ring = ring;  // places outlive what is in the ring
  PreparedStatements statements;
  std::ptrdiff_t known = 3;  // of the first nodes; events may come of the others
  bool hides_nodes = false;
  int schema_changes = 0;
  bool is_in_doubt = false;
};

}  // namespace gatehouse::cassandra::test
