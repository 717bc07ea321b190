// What the gateway knows of a Cassandra cluster, from the control thread, which learns it, to the
// workers, whose sessions use it.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/configuration.h"
#include "gateway/cassandra/prepared_statements.h"
#include "gateway/cassandra/ring.h"

namespace gatehouse {

// One a server. Any thread may call anything. Goes on over reloads, by ClusterTable.
class Cluster {
 public:
  // Null until it is learned.
  [[nodiscard]] std::shared_ptr<const cassandra::Ring> ring() const;
  void publish(std::shared_ptr<const cassandra::Ring> ring);

  // What was last found out about a node, by another node or by who tried to reach it. Nothing is
  // kept of nodes that are not in the ring.
  void set_down(const cassandra::Uuid& host_id, bool is_down);
  [[nodiscard]] bool is_down(const cassandra::Uuid& host_id) const;

  // Drivers wait behind a change of the schema until all nodes have the same. Whether they have is
  // not known from when a session has seen a change until the ring is read that was asked for a
  // moment after it, or a while has passed.
  void schema_has_changed();
  // The ring was published, as it was from this time on. A node that had not heard of a change yet
  // says that all agree.
  void schema_was_read(std::chrono::steady_clock::time_point asked_at);
  [[nodiscard]] bool schema_is_settling() const;

  // Where the gateway has no account to learn a ring with: what the node there says of itself, as a
  // session has read it on its client's connection. Null: nobody has, or not of late.
  [[nodiscard]] std::shared_ptr<const cassandra::Ring> lone_node(
      const config::SocketAddress& there) const;
  void lone_node_was_read(const config::SocketAddress& there,
                          std::shared_ptr<const cassandra::Ring> ring);

  [[nodiscard]] cassandra::PreparedStatements& prepared() noexcept { return prepared_; }

 private:
  struct LoneNode {
    config::SocketAddress there;
    std::shared_ptr<const cassandra::Ring> ring;
    std::chrono::steady_clock::time_point read_at;

    [[nodiscard]] bool is_old() const noexcept;
  };

  mutable std::mutex mutex_;  // held to copy one pointer, or to look one node up
  std::shared_ptr<const cassandra::Ring> ring_;
  std::set<cassandra::Uuid> down_;
  std::optional<std::chrono::steady_clock::time_point> schema_changed_at_;  // while it settles
  std::vector<LoneNode> lone_nodes_;  // none of them old when it was last added to
  cassandra::PreparedStatements prepared_;
};

// Asked while a snapshot is built, on one thread. A cluster is known by its server's name and by
// how it is found, so that nothing learned of one is believed of another, and lives as long as
// anybody holds it.
class ClusterTable {
 public:
  [[nodiscard]] std::shared_ptr<Cluster> of(const config::Server& server);

 private:
  std::map<std::string, std::weak_ptr<Cluster>> clusters_;
};

}  // namespace gatehouse
