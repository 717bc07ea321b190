// Where one listener shows the nodes of its cluster: from the control thread, which gives them
// their places, to the workers, whose sessions tell clients.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "gateway/cassandra/ring.h"
#include "rules/ip_address.h"

namespace gatehouse {

struct NodePlace {
  std::optional<rules::IpAddress> address;  // unset: the listener's public one
  std::uint16_t port = 0;

  bool operator==(const NodePlace&) const = default;
};

struct NodePlacesNow {
  std::map<cassandra::Uuid, NodePlace> by_node;
  // Of those that have left the ring, too, by where they served: clients are told of that by the
  // place they know.
  struct Served {
    cassandra::InetAddress address;
    std::uint16_t port = 0;
    cassandra::Uuid host_id{};
  };
  std::vector<Served> served;

  // Of the node that serves there; without a port, of the first that has a place. Null: there is
  // none.
  [[nodiscard]] const NodePlace* of_node_at(const cassandra::InetAddress& address,
                                            std::optional<std::uint16_t> port) const noexcept;
};

// One a listener. Any thread may call anything. Goes on over reloads.
class NodePlaces {
 public:
  // Never null.
  [[nodiscard]] std::shared_ptr<const NodePlacesNow> now() const;
  void publish(std::shared_ptr<const NodePlacesNow> places);

 private:
  mutable std::mutex mutex_;  // held to copy one pointer
  std::shared_ptr<const NodePlacesNow> now_ = std::make_shared<NodePlacesNow>();
};

}  // namespace gatehouse
