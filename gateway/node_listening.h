// The listening sockets that stand for nodes of a Cassandra ring, each for one node: gives nodes
// their places, binds them, and says which are there.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/given_places.h"
#include "gateway/net/descriptor.h"
#include "gateway/net/listening.h"
#include "gateway/node_places.h"
#include "gateway/observe/log.h"
#include "gateway/snapshot.h"

namespace gatehouse {

// On the control thread.
class NodeListening {
 public:
  explicit NodeListening(Log& log) : log_(log) {}

  struct Terms {
    const Snapshot& snapshot;
    GivenPlaces& given;
    // Where a listener itself is bound, one of each of its addresses.
    std::function<std::vector<config::SocketAddress>(const config::Listener&)> contact_points;
    std::size_t sockets = 1;  // of each address
    rules::Time now;
  };
  // By the rings as they are known now: binds what is new, leaves out what has gone, stores who has
  // which place, and publishes. What was bound.
  ListeningSockets look(const Terms& terms);
  // Something may be put right by the time alone.
  [[nodiscard]] bool needs_another_look() const noexcept { return needs_another_look_; }

  struct Socket {
    std::string listener;
    cassandra::Uuid node{};
    config::SocketAddress address;
    std::optional<std::string> device{};
  };
  using Sockets = std::map<std::string, Socket>;  // by key
  [[nodiscard]] const Sockets& sockets() const noexcept { return sockets_; }
  // Nodes of rings that cannot be reached through a listener now, and why.
  using Troubles = std::map<std::pair<std::string, cassandra::Uuid>, std::string>;
  [[nodiscard]] const Troubles& troubles() const noexcept { return troubles_; }

 private:
  class Look;
  using Served = std::map<cassandra::Uuid, NodePlacesNow::Served>;

  void report(const Troubles& troubles);

  Log& log_;
  Sockets sockets_;
  Troubles troubles_;
  std::string store_trouble_;
  // Where each node that has a place was last known to serve, by listener.
  std::map<std::string, Served> served_;
  bool needs_another_look_ = false;
};

}  // namespace gatehouse
