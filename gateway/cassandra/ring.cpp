#include "gateway/cassandra/ring.h"

#include <algorithm>

namespace gatehouse::cassandra {

const Node* Ring::find(const Uuid& host_id) const noexcept {
  const auto node = std::ranges::lower_bound(nodes, host_id, {}, &Node::host_id);
  return node != nodes.end() && node->host_id == host_id ? &*node : nullptr;
}

const Node* Ring::find(const InetAddress& address, std::uint16_t port) const noexcept {
  const auto node = std::ranges::find_if(nodes, [&](const Node& candidate) {
    return candidate.port == port && candidate.address == address;
  });
  return node != nodes.end() ? &*node : nullptr;
}

}  // namespace gatehouse::cassandra
