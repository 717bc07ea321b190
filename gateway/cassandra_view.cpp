#include "gateway/cassandra_view.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "gateway/cassandra/invented.h"

namespace gatehouse {

namespace {

using cassandra::Candidate;
using cassandra::Node;
using cassandra::TopologyView;
using cassandra::Uuid;

// As they call themselves in STARTUP.
constexpr std::array<std::string_view, 4> names_of_readers{"Python Driver", "Java Driver",
                                                           "gocql-driver", "C# Driver"};

// Rendezvous hashing: of all nodes the one with the highest weight is the source's, and another one
// only for as long as it is not there.
std::size_t weight(const std::string& source, std::string_view node) {
  return std::hash<std::string>{}(source + std::string(node));
}

struct Ranked {
  bool is_down = false;
  std::size_t weight = 0;
  Candidate candidate;
};

}  // namespace

std::vector<Candidate> CassandraView::candidates(
    const config::SocketAddress& source, const std::optional<Uuid>& wanted,
    const std::vector<config::Backend>& backends) const {
  const auto ring = terms_.cluster->ring();
  if (wanted) {
    const Node* node = ring ? ring->find(*wanted) : nullptr;
    return node != nullptr ? std::vector{candidate_of(*node)} : std::vector<Candidate>();
  }
  const bool is_spread = shows_one_node();
  if (!ring && !is_spread) return {};
  const std::string key = is_spread ? to_string(source) : source.ip.to_string();
  std::vector<Ranked> ranked;
  if (ring) {
    for (const Node& node : ring->nodes) {
      const std::string_view id(reinterpret_cast<const char*>(node.host_id.data()),
                                node.host_id.size());
      ranked.push_back(
          {terms_.cluster->is_down(node.host_id), weight(key, id), candidate_of(node)});
    }
  } else {
    for (const config::Backend& backend : backends) {
      ranked.push_back({false, weight(key, backend.text), cassandra::candidate_of(backend)});
    }
  }
  std::ranges::sort(ranked, [](const Ranked& one, const Ranked& other) {
    return std::pair(one.is_down, other.weight) < std::pair(other.is_down, one.weight);
  });
  std::vector<Candidate> candidates;
  candidates.reserve(ranked.size());
  for (Ranked& next : ranked) candidates.push_back(std::move(next.candidate));
  return candidates;
}

void CassandraView::set_node(const Uuid& host_id) {
  const auto ring = terms_.cluster->ring();
  if (const Node* node = ring ? ring->find(host_id) : nullptr) node_ = {ring, node};
}

void CassandraView::set_lone_node(std::shared_ptr<const cassandra::Ring> ring) {
  is_lone_node_ = true;
  node_ = {ring, &ring->nodes.front()};
  ring_ = std::move(ring);
}

TopologyView CassandraView::view() {
  // Before the ring is taken: it may have been read, and with it all have agreed, in between.
  const bool schemas_settle = terms_.cluster->schema_is_settling();
  if (!is_lone_node_) ring_ = terms_.cluster->ring();
  if (const Node* node = ring_->find(node_->host_id)) node_ = {ring_, node};
  TopologyView view{.ring = ring_.get(),
                    .local = {.node = node_.get(), .endpoint = terms_.public_endpoint},
                    .peers = {},
                    .lists_old_peers = false};
  if (shows_one_node()) {
    virtual_node_ = std::make_unique<const Node>(cassandra::virtual_node(*node_, terms_.server));
    view.local.node = virtual_node_.get();
    return view;
  }
  view.lists_old_peers = reads_ports_ || terms_.mode == config::NodesMode::address_per_node;
  const auto places = terms_.places->now();
  const auto own = places->by_node.find(node_->host_id);
  if (own != places->by_node.end()) view.local.among_nodes = shown(*node_, own->second).among_nodes;
  for (const Node& node : ring_->nodes) {
    if (node.host_id == node_->host_id) continue;
    // One without a place is not shown yet: nobody could reach it.
    const auto found = places->by_node.find(node.host_id);
    if (found != places->by_node.end()) view.peers.push_back(shown(node, found->second));
  }
  if (schemas_settle) {
    // Of nodes whose schemas are not known, each has one that no other has. So has the local one:
    // some drivers ask each node for its own.
    view.local.schema_version = node_->host_id;
    for (cassandra::ShownNode& peer : view.peers) peer.schema_version = peer.node->host_id;
  }
  return view;
}

cassandra::ShownCluster::Place CassandraView::place_of(const cassandra::InetAddress& address,
                                                       std::uint16_t port) {
  if (shows_one_node()) return {.kind = Place::Kind::hidden};
  const auto places = terms_.places->now();
  const NodePlace* place = places->of_node_at(address, port);
  if (place == nullptr) return {};
  return {.kind = Place::Kind::shown, .endpoint = endpoint_of(*place)};
}

cassandra::InetAddress CassandraView::address_told_for(const cassandra::InetAddress& address) {
  if (terms_.mode != config::NodesMode::address_per_node) return terms_.public_endpoint.address;
  const auto places = terms_.places->now();
  const NodePlace* place = places->of_node_at(address, std::nullopt);
  return place != nullptr ? endpoint_of(*place).address : terms_.public_endpoint.address;
}

bool CassandraView::schema_is_in_doubt() {
  if (!shows_one_node()) return false;
  const bool schemas_settle = terms_.cluster->schema_is_settling();  // as in view()
  const auto ring = terms_.cluster->ring();
  if (ring == nullptr || ring->nodes.size() < 2) return false;
  if (schemas_settle) return true;
  // What is down hears of it when it comes back.
  const Node* first = nullptr;
  for (const Node& node : ring->nodes) {
    if (terms_.cluster->is_down(node.host_id)) continue;
    if (first == nullptr) first = &node;
    if (node.schema_version != first->schema_version) return true;
  }
  return false;
}

cassandra::ShownNode CassandraView::shown(const Node& node, const NodePlace& place) const {
  cassandra::ShownNode shown{.node = &node, .endpoint = endpoint_of(place)};
  if (place.address) shown.among_nodes = shown.endpoint.address;
  return shown;
}

cassandra::Endpoint CassandraView::endpoint_of(const NodePlace& place) const noexcept {
  return {place.address ? cassandra::to_inet(*place.address) : terms_.public_endpoint.address,
          place.port};
}

bool reads_ports(std::string_view driver_name) noexcept {
  return std::ranges::any_of(names_of_readers, [&](std::string_view name) {
    return driver_name.find(name) != std::string_view::npos;
  });
}

}  // namespace gatehouse
