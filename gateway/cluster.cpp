#include "gateway/cluster.h"

#include <algorithm>
#include <utility>

#include "gateway/limits.h"

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

void Cluster::schema_has_changed() {
  const std::lock_guard lock(mutex_);
  schema_changed_at_ = std::chrono::steady_clock::now();
}

void Cluster::schema_was_read(std::chrono::steady_clock::time_point asked_at) {
  const std::lock_guard lock(mutex_);
  if (schema_changed_at_ && *schema_changed_at_ + limits::cluster_look_soon <= asked_at) {
    schema_changed_at_.reset();
  }
}

bool Cluster::schema_is_settling() const {
  const std::lock_guard lock(mutex_);
  return schema_changed_at_ &&
         std::chrono::steady_clock::now() < *schema_changed_at_ + limits::schema_agreement;
}

bool Cluster::LoneNode::is_old() const noexcept {
  return std::chrono::steady_clock::now() >= read_at + limits::cluster_look_every;
}

std::shared_ptr<const cassandra::Ring> Cluster::lone_node(
    const config::SocketAddress& there) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(lone_nodes_, there, &LoneNode::there);
  return found != lone_nodes_.end() && !found->is_old() ? found->ring : nullptr;
}

void Cluster::lone_node_was_read(const config::SocketAddress& there,
                                 std::shared_ptr<const cassandra::Ring> ring) {
  const std::lock_guard lock(mutex_);
  std::erase_if(lone_nodes_,
                [&](const LoneNode& node) { return node.is_old() || node.there == there; });
  lone_nodes_.push_back({there, std::move(ring), std::chrono::steady_clock::now()});
}

std::shared_ptr<Cluster> ClusterTable::of(const config::Server& server) {
  std::string key = server.name;
  for (const config::Backend& backend : server.backends) key += '\n' + backend.text;
  if (server.topology) {
    key += "\n\n" + server.topology->user + '\n' + server.topology->password_file.path.string();
  }
  std::erase_if(clusters_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<Cluster>& known = clusters_[key];
  auto cluster = known.lock();
  if (!cluster) {
    cluster = std::make_shared<Cluster>();
    known = cluster;
  }
  return cluster;
}

}  // namespace gatehouse
