// What one Cassandra session is shown of its cluster, by the mode of its listener.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/configuration.h"
#include "gateway/cassandra/candidate.h"
#include "gateway/cassandra/shown_cluster.h"
#include "gateway/cluster.h"
#include "gateway/node_places.h"

namespace gatehouse {

class CassandraView final : public cassandra::ShownCluster {
 public:
  // What must be known before a node is dialled. `places` must outlive this.
  struct Terms {
    std::shared_ptr<Cluster> cluster;
    const NodePlaces* places = nullptr;
    std::string server;
    config::NodesMode mode = config::NodesMode::single;
    cassandra::Endpoint public_endpoint;  // where this client has reached the gateway
  };
  void set_terms(Terms terms) { terms_ = std::move(terms); }
  // The client's driver knows peers_v2.
  void set_reads_ports(bool reads_ports) noexcept { reads_ports_ = reads_ports; }
  // The nodes that a client of `source` may be led to, the first before the others: `wanted` alone
  // if it is set. One source is led to one node as long as that is up, so that its driver may take
  // a contact point for a node; where there is only one to be seen, its connections are spread.
  // Where no ring is known, those are `backends`, and only where one is seen. Empty: there is none.
  [[nodiscard]] std::vector<cassandra::Candidate> candidates(
      const config::SocketAddress& source, const std::optional<cassandra::Uuid>& wanted,
      const std::vector<config::Backend>& backends) const;

  // The node that was reached, if it is still in the ring.
  void set_node(const cassandra::Uuid& host_id);
  // Where the gateway has no account to learn the ring with: a ring of the node that was reached.
  void set_lone_node(std::shared_ptr<const cassandra::Ring> ring);

  // Whether it is known which node that is, and what there is to say of it.
  [[nodiscard]] bool has_node() const noexcept { return node_ != nullptr; }

  [[nodiscard]] bool shows_one_node() const noexcept {
    return terms_.mode == config::NodesMode::single;
  }

  // REQUIRES: has_node().
  [[nodiscard]] cassandra::TopologyView view() override;
  [[nodiscard]] Place place_of(const cassandra::InetAddress& address, std::uint16_t port) override;
  [[nodiscard]] cassandra::InetAddress address_told_for(
      const cassandra::InetAddress& address) override;
  [[nodiscard]] Cluster& cluster() noexcept { return *terms_.cluster; }
  void schema_has_changed() override { terms_.cluster->schema_has_changed(); }
  [[nodiscard]] bool schema_is_in_doubt() override;
  [[nodiscard]] cassandra::PreparedStatements& prepared() noexcept override {
    return terms_.cluster->prepared();
  }

 private:
  [[nodiscard]] cassandra::ShownNode shown(const cassandra::Node& node,
                                           const NodePlace& place) const;
  [[nodiscard]] cassandra::Endpoint endpoint_of(const NodePlace& place) const noexcept;

  Terms terms_;
  bool reads_ports_ = false;
  bool is_lone_node_ = false;
  std::shared_ptr<const cassandra::Node> node_;  // the one reached, as it was last known, in a ring
  std::shared_ptr<const cassandra::Ring> ring_;  // of the last view(); a lone node's from the start
  std::unique_ptr<const cassandra::Node> virtual_node_;  // of the last view()
};

// Whether the driver of that name reads peers_v2 where nodes have it; those that do not would take
// all nodes behind one address for one.
[[nodiscard]] bool reads_ports(std::string_view driver_name) noexcept;

}  // namespace gatehouse
