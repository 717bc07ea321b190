#include "rules/networks.h"

#include <algorithm>
#include <array>
#include <set>

#include <catch2/catch.hpp>

#include "tests/rules/build.h"
#include "tests/rules/random.h"

namespace gatehouse::rules {
namespace {

using test::address;
using test::range;
using Way = Arrival::Way;

static_assert(noexcept(std::declval<const NetworkMap&>().identify({}, {}, {})));

HeaderIds azure(std::uint32_t link_id) {
  HeaderIds ids;
  ids.azure_link_id = link_id;
  return ids;
}
HeaderIds aws(std::string_view vpce_id) {
  HeaderIds ids;
  ids.aws_vpce_id = vpce_id;
  return ids;
}

NetworkMatcher by_listener(std::string listener) {
  NetworkMatcher entry;
  entry.listener = std::move(listener);
  return entry;
}
NetworkMatcher by_azure(std::uint32_t link_id) {
  NetworkMatcher entry;
  entry.azure_link_id = link_id;
  return entry;
}
NetworkMatcher by_aws(std::string vpce_id) {
  NetworkMatcher entry;
  entry.aws_vpce_id = std::move(vpce_id);
  return entry;
}
NetworkMatcher by_prefix(std::string_view prefix) {
  NetworkMatcher entry;
  entry.ipv6_prefix = range(prefix);
  return entry;
}

// factory: a listener; analytics: ids and a prefix; partner: an id on one listener only.
NetworkMap example() {
  NetworkMatcher partner_entry = by_listener("from-cloud");
  partner_entry.azure_link_id = 77;
  return NetworkMap({
      {.name = "factory",
       .matched_by = {by_listener("vnet-factory")},
       .subnets = {{"all", range("10.20.0.0/16")}, {"robots", range("10.20.1.0/24")}}},
      {.name = "analytics",
       .matched_by = {by_azure(5), by_aws("vpce-5"), by_prefix("fd40:1::/96")},
       .subnets = {}},
      {.name = "partner", .matched_by = {partner_entry}, .subnets = {}},
  });
}

std::string identify(std::string_view listener, std::string_view from, const HeaderIds& ids = {}) {
  const NetworkMap map = example();
  const Identity identity = map.identify(listener, address(from), ids);
  switch (identity.arrival.way) {
    case Way::public_address:
      return "public";
    case Way::unknown_network:
      return "unknown";
    case Way::ambiguous_network:
      return "ambiguous";
    case Way::network:
      return map[identity.arrival.network].name + ' ' + identity.address.to_string();
  }
  return {};
}

TEST_CASE("a source that nothing places in a network is public", "[rules]") {
  CHECK(identify("public", "203.0.113.9") == "public");
  CHECK(identify("public", "10.20.1.7") == "public");
  CHECK(identify("", "fd40:2::a14:107") == "public");
}

TEST_CASE("whatever arrives at a network's listener is of that network", "[rules]") {
  CHECK(identify("vnet-factory", "203.0.113.9") == "factory 203.0.113.9");
}

TEST_CASE("an id places its source, whatever the listener, if its entry names none", "[rules]") {
  CHECK(identify("from-cloud", "10.1.1.1", azure(5)) == "analytics 10.1.1.1");
  CHECK(identify("other", "10.1.1.1", aws("vpce-5")) == "analytics 10.1.1.1");
}

TEST_CASE("an id that no network names is unknown, never public", "[rules]") {
  CHECK(identify("from-cloud", "203.0.113.9", azure(6)) == "unknown");
  CHECK(identify("vnet-factory", "10.20.1.7", azure(6)) == "unknown");
  HeaderIds both = azure(5);
  both.aws_vpce_id = "vpce-6";
  CHECK(identify("from-cloud", "10.1.1.1", both) == "unknown");
  HeaderIds gcp;
  gcp.gcp_psc_connection_id = 0;
  CHECK(identify("from-cloud", "10.1.1.1", gcp) == "unknown");
}

TEST_CASE("an id that is named only with another listener is unknown", "[rules]") {
  CHECK(identify("from-cloud", "10.1.1.1", azure(77)) == "partner 10.1.1.1");
  CHECK(identify("other", "10.1.1.1", azure(77)) == "unknown");
}

TEST_CASE("an entry needs all of its keys", "[rules]") {
  CHECK(identify("from-cloud", "203.0.113.9") == "public");
}

TEST_CASE("two ids of one network agree", "[rules]") {
  HeaderIds both = azure(5);
  both.aws_vpce_id = "vpce-5";
  CHECK(identify("from-cloud", "10.1.1.1", both) == "analytics 10.1.1.1");
}

TEST_CASE("identities that disagree are ambiguous", "[rules]") {
  CHECK(identify("vnet-factory", "10.20.1.7", azure(5)) == "ambiguous");
  CHECK(identify("vnet-factory", "fd40:1::a14:107") == "ambiguous");
  HeaderIds both = azure(77);
  both.aws_vpce_id = "vpce-5";
  CHECK(identify("from-cloud", "10.1.1.1", both) == "ambiguous");
}

TEST_CASE("ambiguous comes before unknown", "[rules]") {
  HeaderIds repeated = azure(6);
  repeated.repeated = true;
  CHECK(identify("from-cloud", "10.1.1.1", repeated) == "ambiguous");
  repeated = azure(5);
  repeated.repeated = true;
  CHECK(identify("from-cloud", "10.1.1.1", repeated) == "ambiguous");
  HeaderIds ids = azure(5);
  ids.aws_vpce_id = "vpce-unheard-of";
  CHECK(identify("vnet-factory", "10.1.1.1", ids) == "ambiguous");
}

TEST_CASE("an embedded address that is no host's makes the arrival ambiguous", "[rules]") {
  const NetworkMap map({{.name = "six", .matched_by = {by_prefix("fd40:1::/96")}, .subnets = {}}});
  for (const std::string_view no_host :
       {"fd40:1::", "fd40:1::0.255.255.255", "fd40:1::127.0.0.1", "fd40:1::127.255.255.255",
        "fd40:1::224.0.0.1", "fd40:1::240.0.0.1", "fd40:1::255.255.255.255"}) {
    CAPTURE(no_host);
    const Identity identity = map.identify("any", address(no_host), {});
    CHECK(identity.arrival.way == Arrival::Way::ambiguous_network);
    CHECK(identity.address == address(no_host));
  }
  for (const std::string_view host :
       {"1.0.0.0", "126.255.255.255", "128.0.0.1", "223.255.255.255"}) {
    CAPTURE(host);
    const Identity identity = map.identify("any", address("fd40:1::" + std::string(host)), {});
    CHECK(identity.arrival.way == Arrival::Way::network);
    CHECK(identity.address == address(host));
  }
}

TEST_CASE("a prefix places its source and gives the address that it embeds", "[rules]") {
  CHECK(identify("public", "fd40:1::a14:107") == "analytics 10.20.1.7");
  CHECK(identify("from-cloud", "fd40:1::a14:107", azure(5)) == "analytics 10.20.1.7");
  CHECK(identify("from-cloud", "fd40:2::a14:107", azure(5)) == "analytics fd40:2::a14:107");
  CHECK(identify("from-cloud", "fd40:1::a14:107", azure(6)) == "unknown");
}

TEST_CASE("an address stays as it is where the source's network is not settled", "[rules]") {
  const NetworkMap map = example();
  const IpAddress embedding = address("fd40:1::a14:107");
  CHECK(map.identify("vnet-factory", embedding, {}).address == embedding);
  CHECK(map.identify("from-cloud", embedding, azure(6)).address == embedding);
}

TEST_CASE("an entry without keys matches nothing", "[rules]") {
  const NetworkMap map({{.name = "empty", .matched_by = {NetworkMatcher{}}, .subnets = {}}});
  CHECK(map.identify("any", address("10.0.0.1"), {}).arrival.way == Way::public_address);
}

TEST_CASE("networks are found by name and subnets by address, the narrowest first", "[rules]") {
  const NetworkMap map = example();
  const auto factory = map.find("factory");
  REQUIRE(factory);
  CHECK_FALSE(map.find("nowhere"));
  CHECK(map.subnet(*factory, address("10.20.1.7"))->name == "robots");
  CHECK(map.subnet(*factory, address("10.20.2.7"))->name == "all");
  CHECK(map.subnet(*factory, address("10.21.0.1")) == nullptr);
}

// Of the ids' few values and of listeners.
template <typename T>
std::optional<T> maybe(test::Random& random, const std::vector<T>& values) {
  if (random.one_in(2)) return std::nullopt;
  return random.pick(values);
}

NetworkMatcher random_entry(test::Random& random) {
  NetworkMatcher entry;
  entry.listener = maybe<std::string>(random, {"a", "b"});
  entry.azure_link_id = maybe<std::uint32_t>(random, {1, 2});
  entry.aws_vpce_id = maybe<std::string>(random, {"x", "y"});
  if (random.one_in(3)) entry.gcp_psc_connection_id = random.below(2);
  if (random.one_in(4)) entry.ipv6_prefix = range(random.one_in(2) ? "fd00::/96" : "fd01::/96");
  return entry;
}

// The rule of design in its own words: first who matches, then whether every id is accounted for.
Way naive_way(const std::vector<Network>& networks, std::string_view listener,
              const IpAddress& from, const HeaderIds& ids) {
  std::set<std::string> matched;
  std::set<std::string> named;
  for (const Network& network : networks) {
    for (const NetworkMatcher& entry : network.matched_by) {
      int keys = 0;
      int matching = 0;
      std::set<std::string> names;
      if (entry.listener) ++keys, matching += entry.listener == listener ? 1 : 0;
      if (entry.azure_link_id) {
        ++keys, matching += entry.azure_link_id == ids.azure_link_id ? 1 : 0;
        names.insert("azure");
      }
      if (entry.aws_vpce_id) {
        ++keys, matching += ids.aws_vpce_id && *entry.aws_vpce_id == *ids.aws_vpce_id ? 1 : 0;
        names.insert("aws");
      }
      if (entry.gcp_psc_connection_id) {
        ++keys, matching += entry.gcp_psc_connection_id == ids.gcp_psc_connection_id ? 1 : 0;
        names.insert("gcp");
      }
      if (entry.ipv6_prefix) ++keys, matching += entry.ipv6_prefix->contains(from) ? 1 : 0;
      if (keys == 0 || matching < keys) continue;
      matched.insert(network.name);
      named.merge(names);
    }
  }
  if (ids.repeated || matched.size() > 1) return Way::ambiguous_network;
  if ((ids.azure_link_id && named.count("azure") == 0) ||
      (ids.aws_vpce_id && named.count("aws") == 0) ||
      (ids.gcp_psc_connection_id && named.count("gcp") == 0)) {
    return Way::unknown_network;
  }
  return matched.empty() ? Way::public_address : Way::network;
}

TEST_CASE("random networks identify as the naive reading does", "[rules]") {
  test::Random random;
  std::array<int, 4> reached{};
  for (int round = 0; round < 5000; ++round) {
    std::vector<Network> networks(random.below(4));
    for (std::size_t i = 0; i < networks.size(); ++i) {
      networks[i].name = "network-" + std::to_string(i);
      networks[i].matched_by.resize(random.below(3));
      for (NetworkMatcher& entry : networks[i].matched_by) entry = random_entry(random);
    }
    const NetworkMap map(networks);
    for (int i = 0; i < 30; ++i) {
      HeaderIds ids;
      ids.azure_link_id = maybe<std::uint32_t>(random, {1, 2});
      ids.aws_vpce_id = maybe<std::string_view>(random, {"x", "y"});
      if (random.one_in(4)) ids.gcp_psc_connection_id = random.below(2);
      ids.repeated = random.one_in(20);
      const std::string_view listener = random.pick<std::string_view>({"a", "b", "c"});
      const IpAddress from = address(
          random.pick<std::string_view>({"10.0.0.1", "fd00::a00:1", "fd01::a00:1", "fd02::1"}));
      const Identity identity = map.identify(listener, from, ids);
      ++reached.at(static_cast<std::size_t>(identity.arrival.way));
      if (identity.arrival.way != naive_way(networks, listener, from, ids)) FAIL(round);
    }
  }
  CHECK(*std::min_element(reached.begin(), reached.end()) > 1000);
}

}  // namespace
}  // namespace gatehouse::rules
