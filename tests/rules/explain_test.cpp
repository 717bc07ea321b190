#include "rules/explain.h"

#include <catch2/catch.hpp>

#include "tests/rules/build.h"

namespace gatehouse::rules {
namespace {

using test::address;
using test::by;
using test::by_public_address;
using test::deny_rule;
using test::endpoint;
using test::from;
using test::ip_rule;
using test::spec_of;
using test::until;
using test::vnet_rule;

constexpr NetworkId factory{0};

// Such as: office 203.0.113.64/26 starts 3 addresses later. Empty: no nearest miss.
std::string nearest_miss(const PolicySpec& spec, std::string_view source,
                         Arrival arrival = by_public_address) {
  const Policy policy(spec);
  const IpAddress from_address = address(source);
  const Explanation explanation =
      explain({&policy}, {.address = from_address, .arrival = arrival, .now = test::at(100)});
  if (!explanation.nearest_miss) return {};
  return explanation.nearest_miss->rule->name + ' ' +
         describe(*explanation.nearest_miss, from_address);
}

TEST_CASE("who is let in misses nothing", "[rules]") {
  const Policy policy(spec_of({ip_rule("office", "10.0.0.0/24")}));
  const auto explanation =
      explain({&policy}, {.address = address("10.0.0.1"), .arrival = by_public_address, .now = {}});
  CHECK(explanation.decision.verdict == Verdict::allow);
  CHECK_FALSE(explanation.nearest_miss);
}

TEST_CASE("a rule that would match but for its time is the nearest miss", "[rules]") {
  CHECK(nearest_miss(spec_of({ip_rule("was", "10.0.0.1", until(50)), ip_rule("near", "10.0.0.2")}),
                     "10.0.0.1") == "was expired at 1970-01-01T00:00:50Z");
  CHECK(nearest_miss(spec_of({ip_rule("will", "10.0.0.1", from(200))}), "10.0.0.1") ==
        "will not in force before 1970-01-01T00:03:20Z");
}

TEST_CASE("an endpoint that is not approved is the nearest miss", "[rules]") {
  const auto miss = [](EndpointState state) {
    return nearest_miss(spec_of({endpoint("prod", factory, state)}), "10.0.0.1", by(factory));
  };
  CHECK(miss(EndpointState::pending) == "prod waits for approval");
  CHECK(miss(EndpointState::rejected) == "prod rejected");
}

TEST_CASE("else the numerically nearest range is, on either side", "[rules]") {
  const auto spec =
      spec_of({ip_rule("office", "203.0.113.64/26"), ip_rule("single", "203.0.112.200"),
               ip_rule("list", test::list({"198.51.100.0/24", "203.0.114.0/24"}))});
  CHECK(nearest_miss(spec, "203.0.113.61") == "office 203.0.113.64/26 starts 3 addresses later");
  CHECK(nearest_miss(spec, "203.0.113.128") == "office 203.0.113.64/26 ends 1 address earlier");
  CHECK(nearest_miss(spec, "203.0.112.201") == "single 203.0.112.200 is 1 address earlier");
  CHECK(nearest_miss(spec, "203.0.112.198") == "single 203.0.112.200 is 2 addresses later");
  CHECK(nearest_miss(spec, "203.0.115.4") == "list 203.0.114.0/24 ends 5 addresses earlier");
  CHECK(nearest_miss(spec, "2001:db8::1").empty());
}

TEST_CASE("distances that nobody counts are rounded", "[rules]") {
  const auto spec = spec_of({ip_rule("v6", "2001:db8::/64")});
  CHECK(nearest_miss(spec, "2001:db8:0:1::") == "v6 2001:db8::/64 ends 1 address earlier");
  CHECK(nearest_miss(spec, "2001:db8:1::") == "v6 2001:db8::/64 ends about 2^79 addresses earlier");
}

TEST_CASE("only rules that may judge the source come near", "[rules]") {
  const auto spec =
      spec_of({ip_rule("public", "10.20.1.8"), vnet_rule("robots", factory, "10.20.2.0/24"),
               vnet_rule("other", NetworkId{1}, "10.20.1.6"), deny_rule("bad", "10.20.1.9")});
  CHECK(nearest_miss(spec, "10.20.1.7", by(factory)) ==
        "robots 10.20.2.0/24 starts 249 addresses later");
  CHECK(nearest_miss(spec, "10.20.1.7") == "public 10.20.1.8 is 1 address later");
  CHECK(nearest_miss(spec, "10.20.1.7", by(NetworkId{2})).empty());
}

TEST_CASE("who is denied for another cause has no nearest miss", "[rules]") {
  auto spec = spec_of({ip_rule("office", "10.0.0.0/24"), deny_rule("bad", "10.0.0.9")});
  CHECK(nearest_miss(spec, "10.0.0.9").empty());
  CHECK(nearest_miss(spec, "10.0.1.0", test::by_unknown).empty());
  spec.public_network_access = PublicNetworkAccess::disabled;
  CHECK(nearest_miss(spec, "10.0.1.0").empty());
  spec.locked_down = true;
  CHECK(nearest_miss(spec, "10.0.1.0").empty());
}

TEST_CASE("a lockdown by command is explained as one, and has no nearest miss", "[rules]") {
  const Policy policy(spec_of({ip_rule("office", "10.0.0.0/24")}));
  const auto explanation =
      explain({.written = &policy, .locked_down = true},
              {.address = address("10.0.1.0"), .arrival = by_public_address, .now = {}});
  CHECK(explanation.decision.verdict == Verdict::deny);
  CHECK(explanation.decision.reason == Reason::locked_down);
  CHECK_FALSE(explanation.nearest_miss);
}

TEST_CASE("times are printed in UTC", "[rules]") {
  CHECK(to_string(test::at(0)) == "1970-01-01T00:00:00Z");
  CHECK(to_string(test::at(1798736400)) == "2026-12-31T17:00:00Z");
  CHECK(to_string(test::at(951782399)) == "2000-02-28T23:59:59Z");
  CHECK(to_string(test::at(951782400)) == "2000-02-29T00:00:00Z");
  CHECK(to_string(test::at(-1)) == "1969-12-31T23:59:59Z");
}

}  // namespace
}  // namespace gatehouse::rules
