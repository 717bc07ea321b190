// What the gateway knows of a Cassandra cluster, from the control thread, which learns it, to the
// workers, whose sessions use it.
#pragma once

#include <memory>
#include <mutex>
#include <set>

#include "gateway/cassandra/prepared_statements.h"
#include "gateway/cassandra/ring.h"

namespace gatehouse {

// One a server. Any thread may call anything. Goes on over reloads.
class Cluster {
 public:
  // Null until it is learned.
  [[nodiscard]] std::shared_ptr<const cassandra::Ring> ring() const;
  void publish(std::shared_ptr<const cassandra::Ring> ring);

  // What was last found out about a node, by another node or by who tried to reach it. Nothing is
  // kept of nodes that are not in the ring.
  void set_down(const cassandra::Uuid& host_id, bool is_down);
  [[nodiscard]] bool is_down(const cassandra::Uuid& host_id) const;

  [[nodiscard]] cassandra::PreparedStatements& prepared() noexcept { return prepared_; }

 private:
  mutable std::mutex mutex_;  // held to copy one pointer, or to look one node up
  std::shared_ptr<const cassandra::Ring> ring_;
  std::set<cassandra::Uuid> down_;
  cassandra::PreparedStatements prepared_;
};

}  // namespace gatehouse
