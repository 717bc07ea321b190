#include "gateway/cluster.h"

#include <utility>

namespace gatehouse {

std::shared_ptr<const cassandra::Ring> Cluster::ring() const {
  const std::lock_guard lock(mutex_);
  return ring_;
}

void Cluster::publish(std::shared_ptr<const cassandra::Ring> ring) {
  const std::lock_guard lock(mutex_);
  ring_.swap(ring);
  std::erase_if(down_, [this](const cassandra::Uuid& host_id) {
    return ring_ == nullptr || ring_->find(host_id) == nullptr;
  });
}

void Cluster::set_down(const cassandra::Uuid& host_id, bool is_down) {
  const std::lock_guard lock(mutex_);
  if (!is_down) {
    down_.erase(host_id);
  } else if (ring_ != nullptr && ring_->find(host_id) != nullptr) {
    down_.insert(host_id);
  }
}

bool Cluster::is_down(const cassandra::Uuid& host_id) const {
  const std::lock_guard lock(mutex_);
  return down_.contains(host_id);
}

}  // namespace gatehouse
