// The cluster as one connection may know it.
#pragma once

#include <cstdint>

#include "gateway/cassandra/bytes.h"
#include "gateway/cassandra/prepared_statements.h"
#include "gateway/cassandra/topology_view.h"

namespace gatehouse::cassandra {

class ShownCluster {
 public:
  struct Place {
    enum class Kind {
      shown,    // at `endpoint`
      hidden,   // clients are told of no node
      unknown,  // not in the ring, or not yet
    };
    Kind kind = Kind::unknown;
    Endpoint endpoint{};
  };

  virtual ~ShownCluster() = default;
  // As it is now. What it points to lives until the next call.
  [[nodiscard]] virtual TopologyView view() = 0;
  // Where clients are told that the node is that serves there.
  [[nodiscard]] virtual Place place_of(const InetAddress& address, std::uint16_t port) = 0;
  // What stands for the address of a node, whichever of its ports is meant.
  [[nodiscard]] virtual InetAddress address_told_for(const InetAddress& address) = 0;
  // A node has just said so: what is known of other nodes' schemas may be old.
  virtual void schema_has_changed() = 0;
  // Whether the client is shown one node for several of which some may not have heard of a change.
  [[nodiscard]] virtual bool schema_is_in_doubt() = 0;
  // Of all sessions of the server.
  [[nodiscard]] virtual PreparedStatements& prepared() noexcept = 0;
};

}  // namespace gatehouse::cassandra
