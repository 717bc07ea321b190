#include "gateway/node_listening.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <net/if.h>

#include "gateway/host_id.h"
#include "gateway/limits.h"

namespace gatehouse {

namespace {

using cassandra::Ring;
using cassandra::Uuid;
using config::NodesMode;
using config::SocketAddress;

// What is told in one look: a ring may have thousands of nodes.
constexpr std::size_t told_at_a_time = 16;

// Whether a connection to the one could be taken for one to the other.
bool overlap(const SocketAddress& one, const SocketAddress& other) {
  return one.port == other.port && one.ip.is_v4() == other.ip.is_v4() &&
         (one.ip == other.ip || one.ip.is_unspecified() || other.ip.is_unspecified());
}

// Whether `wide` stands for all addresses but `one`, to which the kernel leads what comes there.
bool gets_the_rest(const SocketAddress& wide, const SocketAddress& one) {
  return overlap(wide, one) && wide.ip.is_unspecified() && !one.ip.is_unspecified();
}

using Device = std::optional<std::string>;

bool share_network(const Device& one, const Device& other) {
  return !one || !other || one == other;
}

std::string none_left(const config::Nodes& nodes, const Uuid& node) {
  const std::string text = host_id_text(node);
  if (nodes.mode == NodesMode::address_per_node) {
    return fmt::format("no address left for node {}; add one to nodes.addresses", text);
  }
  if (nodes.first_port == 0) return fmt::format("no port left for node {}", text);
  return fmt::format("no port left in {}-{} for node {}; raise nodes.ports", nodes.first_port,
                     nodes.last_port, text);
}

// What a place comes to, each address once.
std::vector<SocketAddress> addresses_of(const std::vector<SocketAddress>& contact_points,
                                        const GivenPlace& place) {
  std::vector<SocketAddress> addresses;
  const auto* own = std::get_if<rules::IpAddress>(&place);
  for (const SocketAddress& contact : contact_points) {
    const SocketAddress address =
        own != nullptr ? SocketAddress{.ip = *own, .port = contact.port}
                       : SocketAddress{.ip = contact.ip, .port = std::get<std::uint16_t>(place)};
    const auto is_near = [&](const SocketAddress& other) { return overlap(address, other); };
    // The wider one has room for both.
    if (address.ip.is_unspecified()) std::erase_if(addresses, is_near);
    if (std::ranges::none_of(addresses, is_near)) addresses.push_back(address);
  }
  return addresses;
}

// Port 0: whichever is free.
bool is_any_port(const GivenPlace& place) noexcept {
  const auto* port = std::get_if<std::uint16_t>(&place);
  return port != nullptr && *port == 0;
}

}  // namespace

// One look at all listeners.
class NodeListening::Look {
 public:
  Look(NodeListening& listening, const Terms& terms);

  void place_nodes();
  void publish();

  Sockets sockets;
  ListeningSockets added;
  Troubles troubles;
  bool has_devices = false;

 private:
  // One that shows nodes.
  struct Listener {
    const ListenerState& state;
    const config::Listener& config;
    std::vector<SocketAddress> contact_points;
    GivenNodes& given;
    std::shared_ptr<const Ring> ring;   // null: not known yet
    std::set<GivenPlace> avoided = {};  // nobody can be given these now
  };
  struct BoundPlace {
    std::string error;  // empty: all of its sockets are here
    Sockets sockets;
    ListeningSockets added;
  };

  void place_nodes_of(Listener& listener);
  void bind_known(const Listener& listener);
  void give_new(Listener& listener, const Uuid& node);
  [[nodiscard]] bool can_be_given(const Listener& listener, const GivenPlace& place) const;
  [[nodiscard]] std::uint16_t free_port(const Listener& listener) const;
  [[nodiscard]] BoundPlace bind(const Listener& listener, const Uuid& node,
                                const GivenPlace& place) const;
  [[nodiscard]] std::string owner_beside(const Socket& socket) const;
  [[nodiscard]] bool is_beside_its_own(const Listener& listener, const Socket& socket) const;
  void keep(BoundPlace bound);
  void note_served(const Listener& listener);
  [[nodiscard]] NodePlacesNow places_of(const Listener& listener) const;

  NodeListening& listening_;
  const Terms& terms_;
  std::vector<Listener> listeners_;
  // Of all listeners, those of other protocols too.
  struct ContactPoints {
    std::vector<SocketAddress> addresses;
    Device device;
  };
  std::map<std::string, ContactPoints> contact_points_;
};

NodeListening::Look::Look(NodeListening& listening, const Terms& terms)
    : listening_(listening), terms_(terms) {
  for (const ListenerState& state : terms.snapshot.listeners) {
    const config::Listener& listener = *state.listener;
    contact_points_[listener.name] = {terms.contact_points(listener), listener.device};
    if (!listener.nodes || listener.nodes->mode == NodesMode::single) continue;
    has_devices |= listener.device.has_value();
    listeners_.push_back({.state = state,
                          .config = listener,
                          .contact_points = contact_points_[listener.name].addresses,
                          .given = terms.given.of(listener.name),
                          .ring = state.servers.front()->cluster->ring()});
  }
}

void NodeListening::Look::place_nodes() {
  for (Listener& listener : listeners_) place_nodes_of(listener);
}

void NodeListening::Look::place_nodes_of(Listener& listener) {
  const auto& device = listener.config.device;
  if (device && ::if_nametoindex(device->c_str()) == 0) {
    // Nothing can be bound until it is back.
    for (const auto& [key, socket] : listening_.sockets_) {
      if (socket.listener == listener.config.name) sockets.emplace(key, socket);
    }
    return;
  }
  keep_to(listener.given, *listener.config.nodes);
  if (listener.ring) follow_ring(listener.given, *listener.ring, terms_.now);
  bind_known(listener);
  if (!listener.ring) return;
  for (const cassandra::Node& node : listener.ring->nodes) {
    if (!listener.given.contains(node.host_id)) give_new(listener, node.host_id);
  }
  note_served(listener);
}

void NodeListening::Look::bind_known(const Listener& listener) {
  // Beside an address that stands for all of the machine's, a node's own address would lead to any
  // node as soon as its socket is closed.
  const bool stay_bound =
      listener.config.nodes->mode == NodesMode::address_per_node &&
      std::ranges::any_of(listener.contact_points,
                          [](const SocketAddress& contact) { return contact.ip.is_unspecified(); });
  for (const auto& [host_id, node] : listener.given) {
    if (node.left && !stay_bound) continue;
    BoundPlace bound = bind(listener, host_id, node.place);
    if (!bound.error.empty() && !node.left) {
      troubles[{listener.config.name, host_id}] =
          fmt::format("node {} is not shown: {}", host_id_text(host_id), bound.error);
    }
    keep(std::move(bound));
  }
}

void NodeListening::Look::give_new(Listener& listener, const Uuid& node) {
  const config::Nodes& nodes = *listener.config.nodes;
  int tries = 0;
  while (const auto offer = offer_for_new(listener.given, nodes, listener.avoided, terms_.now)) {
    GivenPlace place = offer->place;
    const bool is_any = is_any_port(place);
    if (is_any && tries++ == limits::free_port_tries) break;
    if (is_any) place = free_port(listener);
    if (is_any && has_place(listener.given, place)) continue;
    if (can_be_given(listener, place)) {
      BoundPlace bound = bind(listener, node, place);
      if (bound.error.empty()) {
        keep(std::move(bound));
        if (offer->former) listener.given.erase(*offer->former);
        listener.given[node] = {.place = place, .left = std::nullopt};
        return;
      }
    }
    if (!is_any) listener.avoided.insert(place);
  }
  troubles[{listener.config.name, node}] = none_left(nodes, node);
}

// Whether no other listener keeps it for a node of its own, there or gone.
bool NodeListening::Look::can_be_given(const Listener& listener, const GivenPlace& place) const {
  if (is_any_port(place)) return false;
  const auto wanted = addresses_of(listener.contact_points, place);
  return std::ranges::none_of(listeners_, [&](const Listener& other) {
    if (&other == &listener || !share_network(other.config.device, listener.config.device))
      return false;
    return std::ranges::any_of(other.given, [&](const auto& entry) {
      const auto used = addresses_of(other.contact_points, entry.second.place);
      return std::ranges::find_first_of(wanted, used, overlap) != wanted.end();
    });
  });
}

// One of the system's choice; 0: it has none.
std::uint16_t NodeListening::Look::free_port(const Listener& listener) const {
  const SocketAddress any{.ip = listener.contact_points.front().ip, .port = 0};
  const Bound bound = bind_and_listen(any, listener.config.device, 1, /*port_is_ours=*/false);
  return bound.error.empty() ? bound.address.port : 0;
}

NodeListening::Look::BoundPlace NodeListening::Look::bind(const Listener& listener,
                                                          const Uuid& node,
                                                          const GivenPlace& place) const {
  BoundPlace all;
  for (const SocketAddress& address : addresses_of(listener.contact_points, place)) {
    const std::string key =
        socket_key(address, listener.config.device) + " node " + host_id_text(node);
    const Socket socket{.listener = listener.config.name,
                        .node = node,
                        .address = address,
                        .device = listener.config.device};
    if (const std::string owner = owner_beside(socket); !owner.empty()) {
      all.error = fmt::format("{} has {}", owner, to_string(address));
      continue;
    }
    if (!listening_.sockets_.contains(key)) {
      Bound bound = bind_and_listen(address, socket.device, terms_.sockets,
                                    is_beside_its_own(listener, socket));
      if (!bound.error.empty()) {
        all.error = "cannot listen on " + to_string(address) + ": " + bound.error;
        continue;
      }
      all.added[key] = std::make_shared<std::vector<Descriptor>>(std::move(bound.sockets));
    }
    all.sockets[key] = socket;
  }
  return all;
}

// Beside another socket, even one of this gateway, it would get a share of what comes there, or
// that one of its own.
std::string NodeListening::Look::owner_beside(const Socket& socket) const {
  const auto is_beside = [&](const auto& entry) {
    const Socket& other = entry.second;
    return overlap(other.address, socket.address) && share_network(other.device, socket.device) &&
           (other.listener != socket.listener || other.node != socket.node);
  };
  const auto found = std::ranges::find_if(sockets, is_beside);
  if (found != sockets.end()) {
    return fmt::format("node {} of listener {}", host_id_text(found->second.node),
                       found->second.listener);
  }
  for (const auto& [name, at] : contact_points_) {
    const bool is_its_own = name == socket.listener;
    const auto is_in_its_way = [&](const SocketAddress& contact) {
      return overlap(contact, socket.address) &&
             !(is_its_own && gets_the_rest(contact, socket.address));
    };
    if (share_network(at.device, socket.device) &&
        std::ranges::any_of(at.addresses, is_in_its_way)) {
      return "listener " + name;
    }
  }
  return {};
}

// What is let be beside it: sockets of this very node, where a listener's addresses change, and the
// listener's own that stands for all addresses, which gets what comes to none of the others.
bool NodeListening::Look::is_beside_its_own(const Listener& listener, const Socket& socket) const {
  const auto is_wider = [&](const SocketAddress& contact) {
    return gets_the_rest(contact, socket.address);
  };
  return std::ranges::any_of(listener.contact_points, is_wider) ||
         std::ranges::any_of(listening_.sockets_, [&](const auto& entry) {
           const Socket& other = entry.second;
           return other.listener == socket.listener && other.node == socket.node &&
                  other.address.port == socket.address.port;
         });
}

void NodeListening::Look::keep(BoundPlace bound) {
  sockets.merge(bound.sockets);
  added.merge(bound.added);
}

void NodeListening::Look::note_served(const Listener& listener) {
  Served& served = listening_.served_[listener.config.name];
  for (const cassandra::Node& node : listener.ring->nodes) {
    served[node.host_id] = {.address = node.address, .port = node.port, .host_id = node.host_id};
  }
  std::erase_if(served, [&](const auto& entry) {
    const NodePlacesNow::Served& at = entry.second;
    const cassandra::Node* now_there = listener.ring->find(at.address, at.port);
    return !listener.given.contains(at.host_id) ||
           (now_there != nullptr && now_there->host_id != at.host_id);
  });
}

NodePlacesNow NodeListening::Look::places_of(const Listener& listener) const {
  NodePlacesNow places;
  for (const auto& [host_id, node] : listener.given) {
    if (troubles.contains({listener.config.name, host_id})) continue;
    const auto* address = std::get_if<rules::IpAddress>(&node.place);
    places.by_node[host_id] =
        address != nullptr
            ? NodePlace{.address = *address, .port = listener.contact_points.front().port}
            : NodePlace{.address = {}, .port = std::get<std::uint16_t>(node.place)};
  }
  for (const auto& [host_id, served] : listening_.served_[listener.config.name]) {
    places.served.push_back(served);
  }
  return places;
}

void NodeListening::Look::publish() {
  for (const Listener& listener : listeners_) {
    listener.state.places->publish(std::make_shared<const NodePlacesNow>(places_of(listener)));
  }
}

ListeningSockets NodeListening::look(const Terms& terms) {
  needs_another_look_ = true;  // until this one has come to its end
  Look look(*this, terms);
  look.place_nodes();
  // Nobody is told of a place that a restart might give to another.
  std::string why = terms.given.store();
  if (!why.empty() && why != store_trouble_) {
    log_.warning("after a restart nodes may be shown at other ports or addresses: {}", why);
  }
  store_trouble_ = std::move(why);
  look.publish();
  report(look.troubles);
  sockets_.swap(look.sockets);
  troubles_.swap(look.troubles);
  needs_another_look_ = look.has_devices || !troubles_.empty() || !store_trouble_.empty();
  return std::move(look.added);
}

// What was told before is not told again.
void NodeListening::report(const Troubles& troubles) {
  std::size_t told = 0;
  for (const auto& [who, trouble] : troubles) {
    const auto before = troubles_.find(who);
    if (before != troubles_.end() && before->second == trouble) continue;
    if (++told <= told_at_a_time) log_.warning("listener {}: {}", who.first, trouble);
  }
  if (told > told_at_a_time) {
    log_.warning("{} more nodes of rings are not shown", told - told_at_a_time);
  }
}

}  // namespace gatehouse
