#include "gateway/cluster.h"

#include <chrono>

#include <catch2/catch.hpp>

#include "gateway/limits.h"
#include "tests/gateway/cassandra/topology.h"

namespace gatehouse {
namespace {

using cassandra::test::ring_of_three;
using cassandra::test::uuid_of;

std::shared_ptr<const cassandra::Ring> shared(cassandra::Ring ring) {
  return std::make_shared<const cassandra::Ring>(std::move(ring));
}

TEST_CASE("a cluster knows no ring until it is told one") {
  Cluster cluster;
  CHECK(cluster.ring() == nullptr);
  const auto ring = shared(ring_of_three());
  cluster.publish(ring);
  CHECK(cluster.ring() == ring);
}

TEST_CASE("a node is down from when that was found out until it is up again") {
  Cluster cluster;
  cluster.publish(shared(ring_of_three()));
  CHECK_FALSE(cluster.is_down(uuid_of(1)));
  cluster.set_down(uuid_of(1), true);
  CHECK(cluster.is_down(uuid_of(1)));
  CHECK_FALSE(cluster.is_down(uuid_of(2)));
  cluster.publish(shared(ring_of_three()));
  CHECK(cluster.is_down(uuid_of(1)));
  cluster.set_down(uuid_of(1), false);
  CHECK_FALSE(cluster.is_down(uuid_of(1)));
}

TEST_CASE("nothing is kept of nodes that are not in the ring") {
  Cluster cluster;
  cluster.set_down(uuid_of(1), true);
  cluster.publish(shared(ring_of_three()));
  CHECK_FALSE(cluster.is_down(uuid_of(1)));
  cluster.set_down(uuid_of(9), true);
  CHECK_FALSE(cluster.is_down(uuid_of(9)));
  cluster.set_down(uuid_of(2), true);
  cassandra::Ring smaller = ring_of_three();
  smaller.nodes.pop_back();
  cluster.publish(shared(smaller));
  CHECK_FALSE(cluster.is_down(uuid_of(2)));
}

TEST_CASE("what a node says of itself is told to whoever comes to the same place") {
  const config::SocketAddress here{rules::IpAddress::v4(0x7F000001), 9042};
  const config::SocketAddress there{rules::IpAddress::v4(0x7F000001), 9043};
  Cluster cluster;
  CHECK(cluster.lone_node(here) == nullptr);
  const auto first = shared(ring_of_three());
  cluster.lone_node_was_read(here, first);
  CHECK(cluster.lone_node(here) == first);
  CHECK(cluster.lone_node(there) == nullptr);
  const auto second = shared(ring_of_three());
  cluster.lone_node_was_read(there, second);
  CHECK(cluster.lone_node(here) == first);
  cluster.lone_node_was_read(here, second);
  CHECK(cluster.lone_node(here) == second);
  CHECK(cluster.ring() == nullptr);
}

TEST_CASE("a changed schema settles when the ring is read that was asked for a moment after it") {
  using std::chrono::milliseconds;
  const auto before = std::chrono::steady_clock::now();
  Cluster cluster;
  CHECK_FALSE(cluster.schema_is_settling());
  cluster.schema_has_changed();
  const auto then = std::chrono::steady_clock::now();
  CHECK(cluster.schema_is_settling());
  cluster.schema_was_read(before + limits::cluster_look_soon - milliseconds(1));
  CHECK(cluster.schema_is_settling());
  cluster.schema_was_read(then + limits::cluster_look_soon);
  CHECK_FALSE(cluster.schema_is_settling());
  cluster.schema_has_changed();
  CHECK(cluster.schema_is_settling());
}

}  // namespace
}  // namespace gatehouse
