#include "gateway/cassandra/own_requests.h"

#include <catch2/catch.hpp>

#include "gateway/cassandra/handshake.h"
#include "gateway/cassandra/query.h"
#include "tests/gateway/cassandra/frames.h"

namespace gatehouse::cassandra {

using test::Buffer;

TEST_CASE("the gateway's own STARTUP says what it is, and asks for no compression") {
  Buffer body;
  append_startup(body, "0.1.0");
  const auto startup = parse_startup(body);
  REQUIRE(startup);
  CHECK(startup->cql_version == "3.0.0");
  CHECK(startup->driver_name == "Gatehouse");
  CHECK(startup->driver_version == "0.1.0");
  CHECK(startup->compression.empty());
}

TEST_CASE("the gateway's own login is SASL PLAIN") {
  Buffer body;
  append_plain_login(body, "gatehouse", "secret");
  CHECK(plain_user(body) == "gatehouse");
  const Buffer expected = test::from_hex("00000011 00 676174 65686f757365 00 736563726574");
  CHECK(body == expected);
}

TEST_CASE("the gateway wants to be told of every event") {
  Buffer body;
  append_register(body);
  const Registration every{.topology_change = true, .status_change = true, .schema_change = true};
  CHECK(parse_register(body) == every);
}

TEST_CASE("the gateway's own queries ask for all rows of one node") {
  const std::uint8_t version = GENERATE(std::uint8_t{3}, std::uint8_t{4}, std::uint8_t{5});
  Buffer body;
  append_query(body, version, "SELECT * FROM system.peers");
  const auto query = parse_query(version, body);
  REQUIRE(query);
  CHECK(query->text == "SELECT * FROM system.peers");
  CHECK(query->parameters.consistency == 1);
  CHECK_FALSE(query->parameters.page_size);
  CHECK(query->parameters.values.count == 0);
}

}  // namespace gatehouse::cassandra
