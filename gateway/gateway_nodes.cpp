// The part of the gateway that listens for the nodes of Cassandra rings, beside the listeners
// themselves.
#include <algorithm>

#include "gateway/gateway.h"
#include "gateway/host_id.h"

namespace gatehouse {

// Where a node of a ring listens, no listener comes in beside it: the two would share what comes.
bool Gateway::is_port_of_listeners(const Sockets& sockets, std::uint16_t port) const {
  const auto has_port = [port](const auto& entry) { return entry.second.address.port == port; };
  return (std::ranges::any_of(sockets_, has_port) ||
          std::ranges::any_of(sockets.by_key, has_port)) &&
         std::ranges::none_of(nodes_.sockets(), has_port);
}

void Gateway::look_at_nodes() {
  const auto contact_points = [this](const config::Listener& listener) {
    std::vector<config::SocketAddress> addresses;
    for (std::size_t index = 0; index < listener.addresses.size(); ++index) {
      const auto bound = sockets_.find(key_of(listener, index));
      addresses.push_back(bound != sockets_.end() ? bound->second.address
                                                  : listener.addresses[index]);
    }
    return addresses;
  };
  remember_bound(nodes_.look(
      {.snapshot = *snapshot_,
       .given = *continuity_.given_places,
       .contact_points = contact_points,
       .sockets = workers_.size(),
       .now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())}));
}

void Gateway::place_nodes() {
  if (draining_) return;
  try {
    const NodeListening::Sockets before = nodes_.sockets();
    look_at_nodes();
    const bool is_same = std::ranges::equal(
        before, nodes_.sockets(),
        [](const auto& one, const auto& other) { return one.first == other.first; });
    if (!is_same) hand_out();
  } catch (const std::bad_alloc&) {
    log_.error("nodes of rings may be missing, for want of memory");
  }
}

void Gateway::tell_of_socket(const std::string& key) const {
  const auto listener = sockets_.find(key);
  if (listener != sockets_.end()) {
    listening_(listener->second.listener, to_string(listener->second.address));
    return;
  }
  const NodeListening::Socket& node = nodes_.sockets().at(key);
  listening_(node.listener + " node " + host_id_text(node.node), to_string(node.address));
}

std::vector<Gateway::BoundListener> Gateway::listeners() const {
  std::vector<BoundListener> bound;
  bound.reserve(sockets_.size() + nodes_.sockets().size() + nodes_.troubles().size());
  for (const auto& [key, socket] : sockets_) bound.push_back({socket.listener, socket.address});
  for (const auto& [key, socket] : nodes_.sockets()) {
    bound.push_back({socket.listener, socket.address, socket.node});
  }
  for (const auto& [who, trouble] : nodes_.troubles()) {
    bound.push_back({who.first, std::nullopt, who.second, trouble});
  }
  return bound;
}

}  // namespace gatehouse
