// When a client is told of what happens to nodes: not before what it would read agrees.
#include "gateway/cassandra/late_events.h"

#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/gateway/cassandra/cluster_of_three.h"
#include "tests/gateway/cassandra/requests.h"

namespace gatehouse::cassandra {

using test::ClusterOfThree;

namespace {

constexpr std::uint8_t version = 4;

struct Told {
  ClusterOfThree cluster;
  LateEvents late{cluster};
  std::vector<std::string> changes;  // that the client was told

  static test::Buffer content(std::string_view change, std::size_t node) {
    const auto type = change == "UP" || change == "DOWN" ? Event::Type::status_change
                                                         : Event::Type::topology_change;
    const test::Buffer frame = test::event_frame(
        version,
        {.type = type, .change = change, .address = test::secret_addresses.at(node), .port = 9142});
    return {frame.begin() + header_size, frame.end()};
  }
  void node_tells(std::string_view change, std::size_t node = 1) {
    keep(late.take(version, content(change, node)));
  }
  // Another comes instead: what shows the ring wants three.
  void the_second_node_leaves() { cluster.ring.nodes[1].address = test::ipv4(10, 66, 77, 99); }
  void a_second_passes() { keep(late.due(version)); }
  void keep(const std::vector<test::Buffer>& frames) {
    for (const test::Buffer& frame : frames) {
      const auto event = parse_event(Bytes(frame).subspan(header_size));
      REQUIRE(event);
      CHECK(event->address == ClusterOfThree::address_of_gateway());
      changes.push_back(std::string(event->change) + " " + std::to_string(event->port));
    }
  }
  using Changes = std::vector<std::string>;
};

}  // namespace

TEST_CASE("that a node has left is told once it is not shown any more") {
  Told told;
  told.node_tells("REMOVED_NODE");
  told.a_second_passes();
  CHECK(told.changes.empty());
  told.the_second_node_leaves();
  told.a_second_passes();
  CHECK(told.changes == Told::Changes{"REMOVED_NODE 19043"});
  told.a_second_passes();
  CHECK(told.changes.size() == 1);
}

TEST_CASE("that a node has left is told at once where it is not shown any more") {
  Told told;
  told.the_second_node_leaves();
  told.node_tells("REMOVED_NODE");
  CHECK(told.changes == Told::Changes{"REMOVED_NODE 19043"});
}

TEST_CASE("that a node is there again is told once it is shown") {
  const std::string change = GENERATE("NEW_NODE", "UP");
  Told told;
  const Ring whole = told.cluster.ring;
  told.the_second_node_leaves();
  told.node_tells(change);
  CHECK(told.changes.empty());
  told.cluster.ring = whole;
  told.a_second_passes();
  CHECK(told.changes == Told::Changes{change + " 19043"});
}

TEST_CASE("that a node has moved is told once its tokens are others") {
  Told told;
  told.node_tells("MOVED_NODE");
  told.a_second_passes();
  CHECK(told.changes.empty());
  told.cluster.ring.nodes[1].tokens = {"4711"};
  told.a_second_passes();
  CHECK(told.changes == Told::Changes{"MOVED_NODE 19043"});
}

TEST_CASE("that a node is down is told at once") {
  Told told;
  told.node_tells("DOWN");
  CHECK(told.changes == Told::Changes{"DOWN 19043"});
}

TEST_CASE("what does not come true is told all the same after ten seconds") {
  const std::string change = GENERATE("REMOVED_NODE", "MOVED_NODE");
  Told told;
  told.node_tells(change);
  for (int second = 0; second < 9; ++second) told.a_second_passes();
  CHECK(told.changes.empty());
  told.a_second_passes();
  CHECK(told.changes == Told::Changes{change + " 19043"});
}

TEST_CASE("what happens to one node is told in its order, and to others meanwhile") {
  Told told;
  told.node_tells("REMOVED_NODE", 1);
  told.node_tells("DOWN", 2);
  CHECK(told.changes == Told::Changes{"DOWN 19044"});
  told.node_tells("NEW_NODE", 1);
  told.node_tells("DOWN", 1);
  CHECK(told.changes == Told::Changes{"DOWN 19044"});
  told.cluster.ring.nodes[1].host_id.back() ^= 1;  // another has come in its place
  told.a_second_passes();
  CHECK(told.changes ==
        Told::Changes{"DOWN 19044", "REMOVED_NODE 19043", "NEW_NODE 19043", "DOWN 19043"});
}

TEST_CASE("of a node that has no place nothing is told, however long it takes") {
  Told told;
  told.cluster.known = 1;
  told.node_tells("UP", 1);
  for (int second = 0; second < 100; ++second) told.a_second_passes();
  CHECK(told.changes.empty());
  told.cluster.known = 2;
  told.a_second_passes();
  CHECK(told.changes == Told::Changes{"UP 19043"});
}

}  // namespace gatehouse::cassandra
