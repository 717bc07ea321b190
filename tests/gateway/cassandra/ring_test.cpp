#include "gateway/cassandra/ring.h"

#include <catch2/catch.hpp>

#include "tests/gateway/cassandra/topology.h"

namespace gatehouse::cassandra {

TEST_CASE("a node of a ring is found by its host id, and by where it serves clients") {
  const Ring ring = test::ring_of_three();
  for (const Node& node : ring.nodes) {
    CHECK(ring.find(node.host_id) == &node);
    CHECK(ring.find(node.address, node.port) == &node);
  }
}

TEST_CASE("what is not in a ring is not found") {
  const Ring ring = test::ring_of_three();
  CHECK(ring.find(test::uuid_of(9)) == nullptr);
  CHECK(ring.find(Uuid{}) == nullptr);
  CHECK(ring.find(ring.nodes[0].address, 9042) == nullptr);
  CHECK(ring.find(test::ipv4(10, 66, 77, 9), 9142) == nullptr);
  CHECK(Ring{}.find(test::uuid_of(0)) == nullptr);
}

TEST_CASE("an IPv4 address is not the IPv6 address that begins with its octets") {
  const Ring ring = test::ring_of_three();
  InetAddress longer = ring.nodes[0].address;
  longer.size = 16;
  CHECK(ring.find(longer, ring.nodes[0].port) == nullptr);
}

}  // namespace gatehouse::cassandra
