#include "gateway/cassandra/late_events.h"

#include <algorithm>
#include <functional>
#include <string>

namespace gatehouse::cassandra {

namespace {

// A cluster that changes by more at once is not told of in full.
constexpr std::size_t events_max = 64;
// The ring may have been read already when an event came, or never be what it says.
constexpr unsigned asked_max = 10;

bool same_node(const Event& one, const Event& other) {
  return one.address == other.address && one.port == other.port;
}

const Node* node_of(const Ring& ring, const Event& event) {
  return ring.find(event.address, static_cast<std::uint16_t>(event.port));
}

bool is_of_known_node(const Event& event) {
  return event.change == "REMOVED_NODE" || event.change == "MOVED_NODE";
}

// What is otherwise afterwards, should a node serve there: it is another, or has other tokens.
std::size_t mark_of(const Node* node, const Event& event) {
  if (node == nullptr) return 0;
  std::string text;
  if (event.change == "MOVED_NODE") {
    for (const std::string& token : node->tokens) text += token + ' ';
  } else {
    text = as_text(node->host_id);
  }
  return std::hash<std::string>{}(text);
}

ShownCluster::Place place_of(ShownCluster& cluster, const Event& event) {
  return cluster.place_of(event.address, static_cast<std::uint16_t>(event.port));
}

}  // namespace

std::vector<LateEvents::Buffer> LateEvents::take(std::uint8_t version, Bytes content) {
  // Of nodes that never become known, the oldest make room.
  if (events_.size() == events_max) events_.erase(events_.begin());
  Late& late = events_.emplace_back();
  late.content.assign(content.begin(), content.end());
  const Event event = *parse_event(late.content);
  const bool is_shown = place_of(cluster_, event).kind == ShownCluster::Place::Kind::shown;
  if (is_shown && is_of_known_node(event)) {
    late.before = mark_of(node_of(*cluster_.view().ring, event), event);
  }
  return tell(version);
}

std::vector<LateEvents::Buffer> LateEvents::due(std::uint8_t version) {
  if (events_.empty()) return {};
  for (Late& late : events_) ++late.asked;
  return tell(version);
}

std::vector<LateEvents::Buffer> LateEvents::tell(std::uint8_t version) {
  std::vector<Buffer> frames;
  std::vector<Event> waiting;
  const Ring* ring = nullptr;
  for (Late& late : events_) {
    Event event = *parse_event(late.content);
    // What happens to one node is told in its order.
    late.is_due = std::ranges::none_of(
                      waiting, [&](const Event& other) { return same_node(event, other); }) &&
                  is_due(late, event, ring);
    if (!late.is_due) {
      waiting.push_back(event);
      continue;
    }
    const auto place = place_of(cluster_, event);
    if (place.kind != ShownCluster::Place::Kind::shown) continue;
    event.address = place.endpoint.address;
    event.port = place.endpoint.port;
    append_event(frames.emplace_back(), version, event);
  }
  std::erase_if(events_, [](const Late& late) { return late.is_due; });
  if (events_.empty()) events_ = std::vector<Late>();
  return frames;
}

bool LateEvents::is_due(const Late& late, const Event& event, const Ring*& ring) const {
  using Kind = ShownCluster::Place::Kind;
  const auto place = place_of(cluster_, event);
  if (place.kind != Kind::shown) return place.kind == Kind::hidden;
  if (late.asked >= asked_max || event.change == "DOWN") return true;  // which no table tells
  if (ring == nullptr) ring = cluster_.view().ring;
  const Node* const node = node_of(*ring, event);
  if (!is_of_known_node(event)) return node != nullptr;
  return node == nullptr || mark_of(node, event) != late.before;
}

}  // namespace gatehouse::cassandra
