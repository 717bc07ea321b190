#include "gateway/node_places.h"

#include <utility>

namespace gatehouse {

std::shared_ptr<const NodePlacesNow> NodePlaces::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

void NodePlaces::publish(std::shared_ptr<const NodePlacesNow> places) {
  const std::lock_guard lock(mutex_);
  now_.swap(places);  // what was in force goes when the lock is free again
}

}  // namespace gatehouse
