#include "gateway/node_places.h"

#include <utility>

namespace gatehouse {

const NodePlace* NodePlacesNow::of_node_at(const cassandra::InetAddress& address,
                                           std::optional<std::uint16_t> port) const noexcept {
  for (const Served& node : served) {
    if (node.address != address || node.port != port.value_or(node.port)) continue;
    const auto found = by_node.find(node.host_id);
    if (found != by_node.end()) return &found->second;
  }
  return nullptr;
}

std::shared_ptr<const NodePlacesNow> NodePlaces::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

void NodePlaces::publish(std::shared_ptr<const NodePlacesNow> places) {
  const std::lock_guard lock(mutex_);
  now_.swap(places);  // what was in force goes when the lock is free again
}

}  // namespace gatehouse
