#include "gateway/cassandra/keyspaces.h"

#include <catch2/catch.hpp>

namespace gatehouse::cassandra {

namespace {

using List = std::vector<std::string_view>;

Keyspaces in_shop() {
  Keyspaces keyspaces;
  REQUIRE(keyspaces.begin(1, "shop"));
  keyspaces.end(1, "shop");
  return keyspaces;
}

}  // namespace

TEST_CASE("no keyspace is in use before a USE is taken") {
  CHECK(Keyspaces().possible() == List{""});
}

TEST_CASE("between a USE and its answer a connection may be in either keyspace") {
  Keyspaces keyspaces = in_shop();
  REQUIRE(keyspaces.begin(7, "system"));
  CHECK(keyspaces.possible() == List{"shop", "system"});
  SECTION("taken") {
    keyspaces.end(7, "system");
    CHECK(keyspaces.possible() == List{"system"});
  }
  SECTION("refused") {
    keyspaces.end(7, std::nullopt);
    CHECK(keyspaces.possible() == List{"shop"});
  }
  SECTION("the answer to something else") {
    keyspaces.end(8, "other");
    CHECK(keyspaces.possible() == List{"shop", "system"});
  }
}

TEST_CASE("a USE of the keyspace that is in use changes nothing") {
  Keyspaces keyspaces = in_shop();
  REQUIRE(keyspaces.begin(7, "shop"));
  CHECK(keyspaces.possible() == List{"shop"});
}

TEST_CASE("of two at once the second must wait, and may then begin") {
  Keyspaces keyspaces;
  REQUIRE(keyspaces.begin(1, "shop"));
  CHECK_FALSE(keyspaces.begin(2, "system"));
  CHECK(keyspaces.possible() == List{"", "shop"});
  keyspaces.end(2, "system");  // of the one that did not begin
  CHECK(keyspaces.possible() == List{"", "shop"});
  keyspaces.end(1, "shop");
  CHECK(keyspaces.begin(2, "system"));
}

TEST_CASE("what the node says is in use counts, whatever was asked for") {
  Keyspaces keyspaces;
  REQUIRE(keyspaces.begin(1, "shop"));
  keyspaces.end(1, "system");
  CHECK(keyspaces.possible() == List{"system"});
}

}  // namespace gatehouse::cassandra
