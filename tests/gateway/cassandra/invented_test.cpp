#include "gateway/cassandra/invented.h"

#include <set>

#include <catch2/catch.hpp>

#include "tests/gateway/cassandra/frames.h"
#include "tests/gateway/cassandra/topology.h"

namespace gatehouse::cassandra {

using test::copy;
using test::from_hex;
using test::uuid_of;

namespace {

constexpr std::string_view peers = "SELECT * FROM system.peers";

bool is_name_based(const std::array<std::uint8_t, 16>& uuid) {
  return uuid[6] >> 4 == 5 && uuid[8] >> 6 == 2;
}

}  // namespace

TEST_CASE("a stand-in for an address is of fd00::/8 and has the host id in it") {
  CHECK(copy(stand_in_address(uuid_of(0x42)).bytes()) ==
        from_hex("fd 1be24c8d7093 f6 b50e 21d7683c9a42"));
}

TEST_CASE("two nodes have two stand-ins") {
  std::set<std::vector<std::uint8_t>> all;
  for (std::size_t byte = 0; byte < 16; ++byte) {
    if (byte == 6) continue;  // of which most is the version
    Uuid id = uuid_of(0);
    id[byte] ^= 0x10;
    all.insert(copy(stand_in_address(id).bytes()));
  }
  CHECK(all.size() == 15);
}

TEST_CASE("a virtual node is like a real one, but for its host id and its tokens") {
  const Ring ring = test::ring_of_three();
  const Node shown = virtual_node(ring.nodes[1], "events");
  Node expected = ring.nodes[1];
  expected.host_id = shown.host_id;
  expected.tokens = {"-2"};
  CHECK(shown == expected);
  CHECK(is_name_based(shown.host_id));
}

TEST_CASE("a virtual node has its host id from the server's name alone, and for ever") {
  const Ring ring = test::ring_of_three();
  const Uuid id = virtual_node(ring.nodes[0], "events").host_id;
  CHECK(virtual_node(ring.nodes[2], "events").host_id == id);
  CHECK(virtual_node(ring.nodes[0], "orders").host_id != id);
  CHECK(copy(id) == from_hex("a29e94169c505c67a90b646afc9135a4"));
}

TEST_CASE("a statement's id depends on all of what it means, and is the same for ever") {
  const auto id = topology_statement_id(peers, "", true);
  CHECK(topology_statement_id(peers, "", true) == id);
  CHECK(topology_statement_id("SELECT * FROM peers", "system", true) != id);
  CHECK(topology_statement_id(peers, "shop", true) != id);
  CHECK(topology_statement_id(peers, "", false) != id);
  CHECK(topology_statement_id("bc", "a", true) != topology_statement_id("c", "ab", true));
  CHECK(is_name_based(id));
  CHECK(copy(id) == from_hex("34d0539f98165eae8a38589334cef8dc"));
}

TEST_CASE("the id of metadata is that of the columns, and no statement's") {
  const auto specs = from_hex("0001 61 000d");
  CHECK(result_metadata_id(specs) == result_metadata_id(specs));
  CHECK(result_metadata_id(specs) != result_metadata_id(from_hex("0001 61 0009")));
  CHECK(is_name_based(result_metadata_id(specs)));
}

}  // namespace gatehouse::cassandra
