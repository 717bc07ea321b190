#include "rules/diff.h"

#include <catch2/catch.hpp>

#include "tests/rules/build.h"
#include "tests/rules/random.h"

namespace gatehouse::rules {
namespace {

using test::deny_rule;
using test::endpoint;
using test::from;
using test::ip_rule;
using test::range;
using test::spec_of;
using test::until;
using test::vnet_rule;

constexpr NetworkId first_network{0};
constexpr NetworkId second_network{1};

NetworkMap networks_named(const std::vector<std::string>& names) {
  std::vector<Network> networks;
  for (const std::string& name : names) networks.push_back({name, {}, {}});
  return NetworkMap(std::move(networks));
}

// One line a change: + orders 10.0.0.0/24 by office, or: - orders factory 10.0.0.0/24 by robots
std::string to_text(const AccessDiff& diff) {
  std::string text;
  const auto add = [&](const std::string& sign, const AccessChange& change) {
    text += sign + ' ' + change.server + ' ';
    if (!change.network.empty()) text += change.network + ' ';
    text += change.sources.to_string() + " by " + change.rule->name + '\n';
  };
  for (const AccessChange& change : diff.gained) add("+", change);
  for (const AccessChange& change : diff.lost) add("-", change);
  return text;
}

std::string diff_of(PolicySpec before, PolicySpec after) {
  const NetworkMap networks = networks_named({"analytics", "factory"});
  const Policy old_policy(std::move(before));
  const Policy new_policy(std::move(after));
  return to_text(diff({&networks, {&old_policy}}, {&networks, {&new_policy}}, test::at(100)));
}

TEST_CASE("policies that let in the same differ in nothing", "[rules]") {
  CHECK(diff_of(spec_of({ip_rule("a", "10.0.0.0/24")}),
                spec_of({ip_rule("b", "10.0.0.0/25"), ip_rule("c", "10.0.0.128/25")}))
            .empty());
  CHECK(diff_of(spec_of({}), spec_of({deny_rule("bad", "10.0.0.0/8")})).empty());
  CHECK(diff_of(spec_of({}), spec_of({ip_rule("was", "10.0.0.1", until(50)),
                                      ip_rule("will", "10.0.0.1", from(200))}))
            .empty());
}

TEST_CASE("a new rule gains its range, a removed one loses it", "[rules]") {
  const auto office = spec_of({ip_rule("office", "203.0.113.0/26")});
  CHECK(diff_of(spec_of({}), office) == "+ orders 203.0.113.0/26 by office\n");
  CHECK(diff_of(office, spec_of({})) == "- orders 203.0.113.0/26 by office\n");
}

TEST_CASE("only what the other rules leave is gained or lost", "[rules]") {
  CHECK(diff_of(spec_of({ip_rule("a", "10.0.0.0/24")}),
                spec_of({ip_rule("b", "10.0.0.64/26"), ip_rule("c", "10.0.1.0/24")})) ==
        "+ orders 10.0.1.0/24 by c\n"
        "- orders 10.0.0.0/26 by a\n"
        "- orders 10.0.0.128/25 by a\n");
}

TEST_CASE("a deny rule loses what it takes out", "[rules]") {
  const auto before = spec_of({ip_rule("all", "0.0.0.0/0"), ip_rule("v6", "2001:db8::/64")});
  auto after = before;
  after.rules.push_back(deny_rule("abuse", test::list({"10.0.0.0/8", "2001:db8::7"})));
  CHECK(diff_of(before, after) ==
        "- orders 10.0.0.0/8 by all\n"
        "- orders 2001:db8::7 by v6\n");
  CHECK(diff_of(after, before) ==
        "+ orders 10.0.0.0/8 by all\n"
        "+ orders 2001:db8::7 by v6\n");
}

TEST_CASE("the ends of both families are compared too", "[rules]") {
  CHECK(diff_of(spec_of({}), spec_of({ip_rule("all", "0.0.0.0/0"), ip_rule("v6", "::/0")})) ==
        "+ orders 0.0.0.0/0 by all\n"
        "+ orders ::/0 by v6\n");
  CHECK(diff_of(spec_of({ip_rule("all", "0.0.0.0/0")}),
                spec_of({ip_rule("b", "0.0.0.1-255.255.255.254")})) ==
        "- orders 0.0.0.0 by all\n"
        "- orders 255.255.255.255 by all\n");
}

TEST_CASE("what one rule lets in is one change, what two do are two", "[rules]") {
  CHECK(diff_of(spec_of({}), spec_of({ip_rule("a", "10.0.0.0/24"), ip_rule("b", "10.0.1.0/24")})) ==
        "+ orders 10.0.0.0/24 by a\n"
        "+ orders 10.0.1.0/24 by b\n");
  CHECK(diff_of(spec_of({}), spec_of({ip_rule("a", "10.0.0.0/24"), ip_rule("b", "10.0.0.7")})) ==
        "+ orders 10.0.0.0/24 by a\n");
}

TEST_CASE("each network is compared by its name", "[rules]") {
  const auto before = spec_of({vnet_rule("robots", first_network, "10.20.1.0/24")});
  const auto after = spec_of({vnet_rule("robots", first_network, "10.20.0.0/23"),
                              endpoint("prod", second_network, EndpointState::approved),
                              deny_rule("bad", "0.0.0.0/1")});
  CHECK(diff_of(before, after) ==
        "+ orders factory 128.0.0.0/1 by prod\n"
        "+ orders factory ::/0 by prod\n"
        "- orders analytics 10.20.1.0/24 by robots\n");

  const NetworkMap old_networks = networks_named({"factory", "gone"});
  const NetworkMap new_networks = networks_named({"new", "factory"});
  const Policy old_policy(spec_of({vnet_rule("robots", first_network, "10.20.1.0/24"),
                                   vnet_rule("ghosts", second_network, "10.20.2.0/24")}));
  const Policy new_policy(spec_of({vnet_rule("machines", second_network, "10.20.1.0/24"),
                                   vnet_rule("people", first_network, "10.20.3.0/24")}));
  CHECK(to_text(
            diff({&old_networks, {&old_policy}}, {&new_networks, {&new_policy}}, test::at(100))) ==
        "+ orders new 10.20.3.0/24 by people\n"
        "- orders gone 10.20.2.0/24 by ghosts\n");
}

TEST_CASE("switches change who gets in", "[rules]") {
  const auto open = spec_of(
      {ip_rule("office", "10.0.0.0/24"), endpoint("prod", first_network, EndpointState::approved)});
  auto closed = open;
  closed.public_network_access = PublicNetworkAccess::disabled;
  CHECK(diff_of(open, closed) == "- orders 10.0.0.0/24 by office\n");
  closed.locked_down = true;
  CHECK(diff_of(open, closed) ==
        "- orders 10.0.0.0/24 by office\n"
        "- orders analytics 0.0.0.0/0 by prod\n"
        "- orders analytics ::/0 by prod\n");
}

TEST_CASE("a server that is not there lets nobody in, and servers come by name", "[rules]") {
  auto orders = spec_of({ip_rule("office", "10.0.0.0/24")});
  auto billing = orders;
  billing.server = "billing";
  const Policy one(orders);
  const Policy two(billing);
  CHECK(to_text(diff({}, {nullptr, {&one, &two}}, test::at(100))) ==
        "+ billing 10.0.0.0/24 by office\n"
        "+ orders 10.0.0.0/24 by office\n");
  CHECK(to_text(diff({nullptr, {&one}}, {nullptr, {&two}}, test::at(100))) ==
        "+ billing 10.0.0.0/24 by office\n"
        "- orders 10.0.0.0/24 by office\n");
}

TEST_CASE("random policies differ exactly where asking them differs", "[rules]") {
  test::Random random;
  const NetworkMap networks = networks_named({"n0", "n1", "n2", "n3"});
  int changes = 0;
  for (int round = 0; round < 3000; ++round) {
    const Policy before(test::random_policy(random, 10));
    const Policy after(test::random_policy(random, 10));
    const Time now = test::random_time(random);
    const AccessDiff found = diff({&networks, {&before}}, {&networks, {&after}}, now);
    for (int source = 0; source < 60; ++source) {
      const IpAddress address = test::random_address(random);
      const auto network = static_cast<NetworkId>(random.below(test::network_count));
      const Arrival arrival = random.one_in(2) ? test::by_public_address : test::by(network);
      const Facts facts{.address = address, .arrival = arrival, .now = now};
      const bool is_public = arrival.way == Arrival::Way::public_address;
      const std::string name = is_public ? "" : networks[network].name;
      const auto find = [&](const std::vector<AccessChange>& among) -> const Rule* {
        for (const AccessChange& change : among) {
          if (change.network == name && change.sources.contains(address)) return change.rule;
        }
        return nullptr;
      };
      const Decision was = before.decide(facts);
      const Decision is = after.decide(facts);
      const bool has_gained = was.verdict != Verdict::allow && is.verdict == Verdict::allow;
      const bool has_lost = was.verdict == Verdict::allow && is.verdict != Verdict::allow;
      if (find(found.gained) != (has_gained ? is.rule : nullptr) ||
          find(found.lost) != (has_lost ? was.rule : nullptr)) {
        FAIL(test::to_text(before.spec()) << "\n"
                                          << test::to_text(after.spec()) << "\n"
                                          << test::to_text(facts));
      }
      changes += has_gained || has_lost ? 1 : 0;
    }
  }
  CHECK(changes > 10000);
}

}  // namespace
}  // namespace gatehouse::rules
