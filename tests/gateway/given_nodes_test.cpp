#include "gateway/given_nodes.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "gateway/limits.h"

namespace gatehouse {
namespace {

using cassandra::Ring;
using cassandra::Uuid;
using config::NodesMode;

const rules::Time start{std::chrono::seconds{1'800'000'000}};
constexpr auto kept = limits::node_place_kept;
constexpr auto second = std::chrono::seconds(1);

Uuid host(unsigned number) {
  Uuid host_id{};
  host_id[14] = static_cast<std::uint8_t>(number >> 8U);
  host_id[15] = static_cast<std::uint8_t>(number);
  return host_id;
}

Ring ring_of(const std::vector<unsigned>& numbers) {
  Ring ring;
  for (const unsigned number : numbers) {
    ring.nodes.emplace_back();
    ring.nodes.back().host_id = host(number);
  }
  return ring;
}

config::Nodes ports(std::uint16_t first, std::uint16_t last) {
  config::Nodes nodes;
  nodes.first_port = first;
  nodes.last_port = last;
  return nodes;
}

GivenPlace port(std::uint16_t number) {
  return number;
}

GivenPlace address(const char* text) {
  return *rules::IpAddress::parse(text);
}

// As the gateway does it where every place can be bound.
struct Fixture {
  config::Nodes nodes = ports(19042, 19044);
  GivenNodes given;

  void look(const std::vector<unsigned>& numbers, rules::Time now = start) {
    keep_to(given, nodes);
    follow_ring(given, ring_of(numbers), now);
    for (const unsigned number : numbers) {
      if (given.contains(host(number))) continue;
      const auto offer = offer_for_new(given, nodes, {}, now);
      if (!offer) continue;
      if (offer->former) given.erase(*offer->former);
      given[host(number)] = {.place = offer->place, .left = std::nullopt};
    }
  }
  [[nodiscard]] std::optional<GivenPlace> place_of(unsigned number) const {
    const auto found = given.find(host(number));
    if (found == given.end()) return std::nullopt;
    return found->second.place;
  }
};

TEST_CASE_METHOD(Fixture, "nodes are given the ports of the range from the first on",
                 "[given nodes]") {
  look({1, 2});
  CHECK(place_of(1) == port(19042));
  CHECK(place_of(2) == port(19043));
  CHECK(given.at(host(1)).left == std::nullopt);
}

TEST_CASE_METHOD(Fixture, "a node keeps its place whoever comes and goes", "[given nodes]") {
  look({5});
  look({1, 5});
  look({5, 9});
  look({5}, start + 10 * kept);
  CHECK(place_of(5) == port(19042));
  CHECK(given.at(host(5)).left == std::nullopt);
}

TEST_CASE_METHOD(Fixture, "the place of a node that left awaits it", "[given nodes]") {
  look({1, 2});
  look({2}, start + second);
  CHECK(given.at(host(1)).left == start + second);
  look({2}, start + kept);
  CHECK(given.at(host(1)).left == start + second);
  look({2, 3}, start + 10 * kept);
  CHECK(place_of(3) == port(19044));
  look({1, 2, 3}, start + 20 * kept);
  CHECK(place_of(1) == port(19042));
  CHECK(given.at(host(1)).left == std::nullopt);
}

TEST_CASE_METHOD(Fixture, "no place is given to another before its time", "[given nodes]") {
  look({1, 2, 3});
  look({1, 3});
  look({1, 3, 4}, start + kept - second);
  CHECK(place_of(4) == std::nullopt);
  CHECK(place_of(2) == port(19043));
  look({1, 3, 4}, start + kept);
  CHECK(place_of(4) == port(19043));
  CHECK(place_of(2) == std::nullopt);
}

TEST_CASE_METHOD(Fixture, "who left first makes room first", "[given nodes]") {
  look({1, 2, 3});
  look({1, 2});
  look({2}, start + second);
  look({2, 4}, start + 2 * kept);
  CHECK(place_of(4) == port(19044));
  CHECK(place_of(1) == port(19042));
}

TEST_CASE_METHOD(Fixture, "a node of the ring never makes room", "[given nodes]") {
  look({1, 2, 3});
  CHECK_FALSE(offer_for_new(given, nodes, {}, start + 100 * kept));
}

TEST_CASE_METHOD(Fixture, "a clock that was set back gives nobody's place away", "[given nodes]") {
  look({1, 2, 3});
  look({1, 2});
  CHECK_FALSE(offer_for_new(given, nodes, {}, start - 10 * kept));
}

TEST_CASE_METHOD(Fixture, "what is to be avoided is not offered", "[given nodes]") {
  look({1});
  const auto offer = offer_for_new(given, nodes, {port(19043)}, start);
  REQUIRE(offer);
  CHECK(offer->place == port(19044));
  look({2, 3});
  CHECK_FALSE(offer_for_new(given, nodes, {port(19042)}, start + 2 * kept));
}

TEST_CASE_METHOD(Fixture, "the last port there is can be given", "[given nodes]") {
  nodes = ports(65535, 65535);
  look({1, 2});
  CHECK(place_of(1) == port(65535));
  CHECK(place_of(2) == std::nullopt);
}

TEST_CASE_METHOD(Fixture, "of any free ports the system chooses, and each is kept",
                 "[given nodes]") {
  nodes = ports(0, 0);
  const auto offer = offer_for_new(given, nodes, {}, start);
  REQUIRE(offer);
  CHECK(offer->place == port(0));
  given[host(1)] = {.place = port(40001), .left = std::nullopt};
  look({1});
  CHECK(place_of(1) == port(40001));
  CHECK(has_place(given, port(40001)));
  CHECK_FALSE(has_place(given, port(40002)));
}

TEST_CASE_METHOD(Fixture, "nodes without end are not given places without end", "[given nodes]") {
  nodes = ports(0, 0);
  for (unsigned number = 0; number < limits::node_places; ++number) {
    REQUIRE(offer_for_new(given, nodes, {}, start));
    given[host(number)] = {.place = static_cast<std::uint16_t>(10000 + number),
                           .left = start + number * second};
  }
  CHECK_FALSE(offer_for_new(given, nodes, {}, start));
  const auto offer = offer_for_new(given, nodes, {}, start + kept);
  REQUIRE(offer);
  CHECK(offer->place == port(10000));
  CHECK(offer->former == host(0));
}

TEST_CASE_METHOD(Fixture, "addresses are given in the order in which they are written",
                 "[given nodes]") {
  nodes.mode = NodesMode::address_per_node;
  nodes.addresses = {*rules::IpAddress::parse("203.0.113.12"),
                     *rules::IpAddress::parse("2001:db8::1")};
  look({1, 2, 3});
  CHECK(place_of(1) == address("203.0.113.12"));
  CHECK(place_of(2) == address("2001:db8::1"));
  CHECK(place_of(3) == std::nullopt);
}

TEST_CASE_METHOD(Fixture, "what the listener does not have any more is given anew",
                 "[given nodes]") {
  look({1, 2});
  look({2});
  SECTION("other ports") {
    nodes = ports(19043, 19050);
    look({2, 3});
    CHECK(place_of(2) == port(19043));
    CHECK(place_of(1) == std::nullopt);
    CHECK(place_of(3) == port(19044));
  }
  SECTION("any ports: they have those already") {
    nodes = ports(0, 0);
    look({2});
    CHECK(place_of(2) == port(19043));
    CHECK(place_of(1) == port(19042));
  }
  SECTION("addresses for ports") {
    nodes.mode = NodesMode::address_per_node;
    nodes.addresses = {*rules::IpAddress::parse("203.0.113.11")};
    look({2});
    CHECK(place_of(2) == address("203.0.113.11"));
    CHECK(place_of(1) == std::nullopt);
    nodes = ports(19042, 19044);
    look({2});
    CHECK(place_of(2) == port(19042));
  }
}

}  // namespace
}  // namespace gatehouse
