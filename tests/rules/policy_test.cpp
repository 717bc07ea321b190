#include "rules/policy.h"

#include <catch2/catch.hpp>

#include "tests/rules/build.h"
#include "tests/rules/random.h"

namespace gatehouse::rules {
namespace {

using test::address;
using test::by;
using test::by_ambiguous;
using test::by_public_address;
using test::by_unknown;
using test::deny_rule;
using test::endpoint;
using test::from;
using test::ip_rule;
using test::spec_of;
using test::until;
using test::vnet_rule;

static_assert(noexcept(std::declval<const Policy&>().decide(std::declval<const Facts&>())));
static_assert(noexcept(decide_for_any(std::declval<std::span<const PolicyInForce>>(),
                                      std::declval<const Facts&>())));
static_assert(noexcept(std::declval<const PolicyInForce&>().decide(std::declval<const Facts&>())));
static_assert(!std::is_copy_constructible_v<Policy> && !std::is_move_constructible_v<Policy>);

constexpr NetworkId factory{0};
constexpr NetworkId analytics{1};
constexpr NetworkId elsewhere{2};

Facts facts(std::string_view source, Arrival arrival = by_public_address, long now = 100) {
  return {.address = address(source), .arrival = arrival, .now = test::at(now)};
}

// Such as: deny rule_expired ci-runner
std::string decide(const PolicySpec& spec, const Facts& known) {
  const Policy policy(spec);
  return test::to_text(policy.decide(known));
}

TEST_CASE("a decision that nobody made lets nobody in", "[rules]") {
  CHECK(Decision{}.verdict == Verdict::deny);
  CHECK(Arrival{}.way == Arrival::Way::ambiguous_network);
}

TEST_CASE("an IP rule lets in what it contains and nobody else", "[rules]") {
  const auto spec = spec_of({ip_rule("office", "203.0.113.0/26"), ip_rule("v6", "2001:db8::/64")});
  CHECK(decide(spec, facts("203.0.113.9")) == "allow ip_rule office");
  CHECK(decide(spec, facts("2001:db8::9")) == "allow ip_rule v6");
  CHECK(decide(spec, facts("203.0.113.64")) == "deny no_matching_rule");
  CHECK(decide(spec, facts("2001:db8:0:1::")) == "deny no_matching_rule");
}

TEST_CASE("a list lets in each of its ranges", "[rules]") {
  const auto spec = spec_of({ip_rule("partners", test::list({"198.51.100.7", "2001:db8::/64"}))});
  CHECK(decide(spec, facts("198.51.100.7")) == "allow ip_rule partners");
  CHECK(decide(spec, facts("2001:db8::1")) == "allow ip_rule partners");
  CHECK(decide(spec, facts("198.51.100.8")) == "deny no_matching_rule");
}

TEST_CASE("a list that is empty or missing matches nothing", "[rules]") {
  const auto spec = spec_of({ip_rule("empty", std::make_shared<const RangeSet>()),
                             ip_rule("none", std::shared_ptr<const RangeSet>())});
  CHECK(decide(spec, facts("198.51.100.7")) == "deny no_matching_rule");
}

TEST_CASE("deny beats every allow", "[rules]") {
  const auto spec =
      spec_of({ip_rule("all", "0.0.0.0/0"), vnet_rule("vnet", factory),
               endpoint("end", analytics, EndpointState::approved), deny_rule("bad", "10.0.0.9")});
  CHECK(decide(spec, facts("10.0.0.9")) == "deny denied_by_rule bad");
  CHECK(decide(spec, facts("10.0.0.9", by(factory))) == "deny denied_by_rule bad");
  CHECK(decide(spec, facts("10.0.0.9", by(analytics))) == "deny denied_by_rule bad");
  CHECK(decide(spec, facts("10.0.0.8")) == "allow ip_rule all");
}

TEST_CASE("a deny rule counts only while it is in force", "[rules]") {
  auto spec = spec_of({ip_rule("all", "0.0.0.0/0"), deny_rule("was", "10.0.0.9", until(100)),
                       deny_rule("will", "10.0.0.9", from(101))});
  CHECK(decide(spec, facts("10.0.0.9", by_public_address, 99)) == "deny denied_by_rule was");
  CHECK(decide(spec, facts("10.0.0.9", by_public_address, 100)) == "allow ip_rule all");
  CHECK(decide(spec, facts("10.0.0.9", by_public_address, 101)) == "deny denied_by_rule will");
}

TEST_CASE("a rule is in force from its first second to the one before it expires", "[rules]") {
  const Window window{.not_before = test::at(10), .expires = test::at(20)};
  const auto spec = spec_of({ip_rule("runner", "10.0.0.1", window)});
  const auto decide_at = [&](long now) {
    return decide(spec, facts("10.0.0.1", by_public_address, now));
  };
  CHECK(decide_at(9) == "deny rule_not_yet_valid runner");
  CHECK(decide_at(10) == "allow ip_rule runner");
  CHECK(decide_at(19) == "allow ip_rule runner");
  CHECK(decide_at(20) == "deny rule_expired runner");
  CHECK(decide_at(-5'000'000'000) == "deny rule_not_yet_valid runner");
}

TEST_CASE("an expired rule is named before one yet to come, and neither hides one in force",
          "[rules]") {
  auto spec = spec_of(
      {ip_rule("a-future", "10.0.0.1", from(200)), ip_rule("b-expired", "10.0.0.1", until(50))});
  CHECK(decide(spec, facts("10.0.0.1")) == "deny rule_expired b-expired");
  spec.rules.push_back(ip_rule("c", "10.0.0.0/24"));
  CHECK(decide(spec, facts("10.0.0.1")) == "allow ip_rule c");
}

TEST_CASE("of rules that decide alike the one of the least name is named", "[rules]") {
  const auto spec =
      spec_of({ip_rule("c", "10.0.0.1"), ip_rule("a", test::list({"10.0.0.0/24", "10.2.0.0/24"})),
               ip_rule("b", "10.0.0.0/8")});
  CHECK(decide(spec, facts("10.0.0.1")) == "allow ip_rule a");
  CHECK(decide(spec, facts("10.9.0.1")) == "allow ip_rule b");
}

TEST_CASE("IP rules never match a source that came by a network", "[rules]") {
  const auto spec = spec_of({ip_rule("all", "0.0.0.0/0"), vnet_rule("robots", factory)});
  CHECK(decide(spec, facts("10.20.1.7", by(elsewhere))) == "deny no_matching_rule");
  CHECK(decide(spec, facts("10.20.1.7", by(factory))) == "allow vnet_rule robots");
}

TEST_CASE("networks with the same addresses are told apart", "[rules]") {
  const auto spec = spec_of({vnet_rule("robots", factory, "10.20.1.0/24"),
                             vnet_rule("reports", analytics, "10.20.2.0/24")});
  CHECK(decide(spec, facts("10.20.1.7", by(factory))) == "allow vnet_rule robots");
  CHECK(decide(spec, facts("10.20.1.7", by(analytics))) == "deny no_matching_rule");
  CHECK(decide(spec, facts("10.20.2.7", by(analytics))) == "allow vnet_rule reports");
  CHECK(decide(spec, facts("10.20.1.7")) == "deny no_matching_rule");
}

TEST_CASE("vnet rules have the reasons of time too", "[rules]") {
  const auto spec = spec_of({vnet_rule("was", factory, until(50)),
                             vnet_rule("will", analytics, "10.0.0.0/8", from(200))});
  CHECK(decide(spec, facts("10.0.0.1", by(factory))) == "deny rule_expired was");
  CHECK(decide(spec, facts("10.0.0.1", by(analytics))) == "deny rule_not_yet_valid will");
}

TEST_CASE("a private endpoint lets its network in once it is approved", "[rules]") {
  const auto with = [](EndpointState state, Window window = {}) {
    return decide(spec_of({endpoint("prod", analytics, state, window)}),
                  facts("10.0.0.1", by(analytics)));
  };
  CHECK(with(EndpointState::approved) == "allow private_endpoint prod");
  CHECK(with(EndpointState::pending) == "deny endpoint_not_approved prod");
  CHECK(with(EndpointState::rejected) == "deny endpoint_not_approved prod");
  CHECK(with(EndpointState::approved, until(50)) == "deny rule_expired prod");
  CHECK(with(EndpointState::approved, from(200)) == "deny rule_not_yet_valid prod");
}

TEST_CASE("of several endpoints of a network one approved and in force is enough", "[rules]") {
  auto spec = spec_of({endpoint("a", analytics, EndpointState::approved, until(50)),
                       endpoint("b", analytics, EndpointState::rejected),
                       endpoint("c", analytics, EndpointState::pending)});
  CHECK(decide(spec, facts("10.0.0.1", by(analytics))) == "deny endpoint_not_approved b");
  spec.rules.push_back(endpoint("d", analytics, EndpointState::approved));
  CHECK(decide(spec, facts("10.0.0.1", by(analytics))) == "allow private_endpoint d");
}

TEST_CASE("without public access only private endpoints get in", "[rules]") {
  auto spec = spec_of({ip_rule("all", "0.0.0.0/0"), vnet_rule("robots", factory),
                       endpoint("prod", analytics, EndpointState::approved)});
  spec.public_network_access = PublicNetworkAccess::disabled;
  CHECK(decide(spec, facts("10.0.0.1")) == "deny public_access_disabled");
  CHECK(decide(spec, facts("10.0.0.1", by(factory))) == "deny public_access_disabled");
  CHECK(decide(spec, facts("10.0.0.1", by(analytics))) == "allow private_endpoint prod");
}

TEST_CASE("a locked down server lets nobody in", "[rules]") {
  auto spec = spec_of({ip_rule("all", "0.0.0.0/0"), deny_rule("bad", "10.0.0.9"),
                       endpoint("prod", analytics, EndpointState::approved)});
  spec.locked_down = true;
  CHECK(decide(spec, facts("10.0.0.9")) == "deny locked_down");
  CHECK(decide(spec, facts("10.0.0.1", by(analytics))) == "deny locked_down");
  CHECK(decide(spec, {}) == "deny locked_down");
}

TEST_CASE("a lockdown by command is one by the rules, whatever these say", "[rules]") {
  auto spec = spec_of({ip_rule("all", "0.0.0.0/0"), deny_rule("bad", "10.0.0.9"),
                       endpoint("prod", analytics, EndpointState::approved)});
  spec.on_revoke = OnRevoke::keep;
  const auto decide_locked = [&](const Facts& known, bool by_command) {
    const Policy policy(spec);
    return test::to_text(
        PolicyInForce{.written = &policy, .locked_down = by_command}.decide(known));
  };
  CHECK(decide_locked(facts("10.0.0.1"), false) == "allow ip_rule all");
  for (const bool by_rules : {false, true}) {
    spec.locked_down = by_rules;
    CHECK(decide_locked(facts("10.0.0.1"), true) == "deny locked_down");
    CHECK(decide_locked(facts("10.0.0.9"), true) == "deny locked_down");
    CHECK(decide_locked(facts("10.0.0.1", by(analytics)), true) == "deny locked_down");
    CHECK(decide_locked(facts("10.0.0.1", by_unknown), true) == "deny unknown_network");
    CHECK(decide_locked({}, true) == "deny locked_down");
  }
  CHECK(decide_locked(facts("10.0.0.1"), false) == "deny locked_down");
}

TEST_CASE("who cannot be placed is denied before anything else is asked", "[rules]") {
  auto spec = spec_of({ip_rule("all", "0.0.0.0/0"), deny_rule("bad", "10.0.0.9")});
  spec.locked_down = true;
  CHECK(decide(spec, facts("10.0.0.9", by_unknown)) == "deny unknown_network");
  CHECK(decide(spec, facts("10.0.0.9", by_ambiguous)) == "deny ambiguous_network");
  CHECK(decide(spec, {.address = std::nullopt, .arrival = by_unknown, .now = {}}) ==
        "deny unknown_network");
}

Facts without_arrival(std::string_view source) {
  return {.address = address(source), .arrival = std::nullopt, .now = test::at(100)};
}
Facts without_address(Arrival arrival) {
  return {.address = std::nullopt, .arrival = arrival, .now = test::at(100)};
}

TEST_CASE("while the network is not known, only denials are certain", "[rules]") {
  const auto spec = spec_of({ip_rule("office", "10.0.0.0/24"), deny_rule("bad", "10.0.0.9"),
                             vnet_rule("robots", factory, "10.20.1.0/24")});
  CHECK(decide(spec, without_arrival("10.0.0.9")) == "deny denied_by_rule bad");
  CHECK(decide(spec, without_arrival("10.0.0.1")) == "undecided undecided");
  CHECK(decide(spec, without_arrival("10.20.1.1")) == "undecided undecided");
  CHECK(decide(spec, without_arrival("192.0.2.1")) == "deny no_matching_rule");
}

TEST_CASE("while the address is not known, what holds for every address is certain", "[rules]") {
  auto spec = spec_of({ip_rule("office", "10.0.0.0/24"), vnet_rule("robots", factory),
                       endpoint("prod", analytics, EndpointState::approved)});
  CHECK(decide(spec, without_address(by_public_address)) == "undecided undecided");
  CHECK(decide(spec, without_address(by(factory))) == "allow vnet_rule");
  CHECK(decide(spec, without_address(by(analytics))) == "allow private_endpoint prod");
  CHECK(decide(spec, without_address(by(elsewhere))) == "deny no_matching_rule");
  CHECK(decide(spec, {}) == "undecided undecided");

  spec.rules.push_back(deny_rule("bad", "10.0.0.9"));
  CHECK(decide(spec, without_address(by(factory))) == "undecided undecided");
  CHECK(decide(spec, without_address(by(analytics))) == "undecided undecided");

  spec.rules.push_back(deny_rule("office-too", test::list({"10.0.0.0/25", "10.0.0.128/25"})));
  CHECK(decide(spec, without_address(by_public_address)) == "deny no_matching_rule");

  spec.rules.push_back(deny_rule("v4", "0.0.0.0/0"));
  spec.rules.push_back(deny_rule("v6-low", "::/1"));
  spec.rules.push_back(deny_rule("v6-high", "8000::/1"));
  CHECK(decide(spec, without_address(by_public_address)) == "deny denied_by_rule");
  CHECK(decide(spec, {}) == "deny denied_by_rule");
}

TEST_CASE("several servers deny together what each of them denies", "[rules]") {
  const Policy orders(spec_of({ip_rule("office", "10.0.0.0/24"), deny_rule("bad", "10.0.0.9")}));
  const Policy billing(spec_of({deny_rule("bad", "10.0.0.9"), deny_rule("worse", "10.0.0.10")}));
  const std::vector<PolicyInForce> both{{&orders}, {&billing}};
  const auto decide_both = [&](std::string_view source) {
    return test::to_text(decide_for_any(both, facts(source)));
  };
  CHECK(decide_both("10.0.0.9") == "deny denied_by_rule");
  CHECK(decide_both("10.0.0.10") == "undecided undecided");
  CHECK(decide_both("192.0.2.1") == "deny no_matching_rule");
  CHECK(decide_both("10.0.0.1") == "undecided undecided");
  const Policy strict(spec_of({deny_rule("worse", "192.0.2.1")}));
  const std::vector<PolicyInForce> mixed{{&billing}, {&strict}};
  CHECK(test::to_text(decide_for_any(mixed, facts("192.0.2.1"))) == "deny no_matching_rule");
  CHECK(test::to_text(decide_for_any({}, facts("10.0.0.1"))) == "deny no_matching_rule");
}

TEST_CASE("servers of which some are locked down deny together what the others deny too",
          "[rules]") {
  const Policy open(spec_of({ip_rule("office", "10.0.0.0/24")}));
  const Policy other(spec_of({ip_rule("office", "10.0.0.0/24")}));
  const auto decide_both = [&](bool open_locked, bool other_locked, std::string_view source) {
    const std::vector<PolicyInForce> both{{&open, open_locked}, {&other, other_locked}};
    return test::to_text(decide_for_any(both, facts(source)));
  };
  CHECK(decide_both(true, true, "10.0.0.1") == "deny locked_down");
  CHECK(decide_both(true, false, "10.0.0.1") == "undecided undecided");
  CHECK(decide_both(false, true, "192.0.2.1") == "deny no_matching_rule");
}

TEST_CASE("rules are kept by name, and numbered so", "[rules]") {
  const Policy policy(spec_of({ip_rule("b", "10.0.0.1"), ip_rule("a", "10.0.0.2")}));
  CHECK(policy.server() == "orders");
  REQUIRE(policy.rules().size() == 2);
  CHECK(policy.rules()[0].name == "a");
  CHECK(policy.number_of(policy.rules()[1]) == 1);
}

TEST_CASE("names of reasons are those of the audit", "[rules]") {
  CHECK(to_string(Reason::endpoint_not_approved) == "endpoint_not_approved");
  CHECK(to_string(Verdict::undecided) == "undecided");
  CHECK(to_string(RuleKind::private_endpoint) == "private_endpoint");
}

}  // namespace
}  // namespace gatehouse::rules
