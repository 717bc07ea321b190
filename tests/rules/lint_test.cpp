#include "rules/lint.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/rules/build.h"
#include "tests/rules/random.h"

namespace gatehouse::rules {
namespace {

using test::deny_rule;
using test::endpoint;
using test::from;
using test::ip_rule;
using test::spec_of;
using test::until;
using test::vnet_rule;

constexpr NetworkId factory{0};
constexpr long now = 1'000'000;
constexpr long day = 86400;

// What was found, one a line, without the server's name.
std::string lint_of(std::vector<Rule> rules) {
  const NetworkMap networks({{.name = "factory", .matched_by = {}, .subnets = {}},
                             {.name = "analytics", .matched_by = {}, .subnets = {}}});
  int line = 0;
  for (Rule& rule : rules) rule.origin.line = ++line;
  const Policy policy(spec_of(std::move(rules)));
  std::string text;
  for (const Finding& finding : lint(policy, networks, test::at(now))) {
    std::string message = finding.message;
    const std::string server = " of server orders";
    message.erase(message.find(server), server.size());
    text += message + '\n';
    CHECK_FALSE(finding.hint.empty());
  }
  return text;
}

TEST_CASE("rules that are as they should be give no findings", "[rules]") {
  CHECK(lint_of({ip_rule("office", "203.0.113.0/26"), ip_rule("home", "198.51.100.7"),
                 ip_rule("partners", test::list({"192.0.2.1", "2001:db8::/64"})),
                 vnet_rule("robots", factory, "10.20.1.0/24"),
                 endpoint("prod", NetworkId{1}, EndpointState::approved),
                 endpoint("test", NetworkId{1}, EndpointState::pending),
                 deny_rule("bad", "203.0.113.9")})
            .empty());
}

TEST_CASE("findings name rule, server and place, in the order of the files", "[rules]") {
  auto rules =
      std::vector{ip_rule("a", "10.0.0.1", until(50)), ip_rule("b", "10.0.0.2", until(50))};
  rules[0].origin = {"z.yaml", 1};
  rules[1].origin = {"a.yaml", 9};
  const Policy policy(spec_of(std::move(rules)));
  const auto findings = lint(policy, NetworkMap(), test::at(now));
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].origin == Origin{"a.yaml", 9});
  CHECK(findings[0].message == "rule b of server orders expired at 1970-01-01T00:00:50Z");
  CHECK(findings[0].hint == "remove it, or give it a later `expires`");
  CHECK(findings[1].origin == Origin{"z.yaml", 1});
}

TEST_CASE("a rule in the form of a prefix that embeds addresses is reported", "[rules]") {
  NetworkMatcher entry;
  entry.ipv6_prefix = IpRange::parse("fd40:1::/96").range;
  const NetworkMap networks({{.name = "six", .matched_by = {entry}, .subnets = {}}});
  const Policy policy(
      spec_of({deny_rule("laptop", "fd40:1::10.0.0.99"), deny_rule("good", "10.0.0.98"),
               ip_rule("other", "fd41::/64"), ip_rule("all", "fd40:1::/96")}));
  const auto findings = lint(policy, networks, test::at(now));
  REQUIRE(findings.size() == 2);
  std::string messages;
  for (const Finding& finding : findings) messages += finding.message + "\n";
  CHECK(messages.find("deny rule laptop of server orders never matches: network six has its range "
                      "as an ipv6_prefix") != std::string::npos);
  CHECK(messages.find("rule all of server orders never matches") != std::string::npos);
}
TEST_CASE("rules that have expired or soon will are reported", "[rules]") {
  CHECK(lint_of({ip_rule("a", "10.0.0.1", until(now)), ip_rule("b", "10.0.0.2", until(now + 60)),
                 deny_rule("c", "10.0.0.3", until(now + 14 * day)),
                 ip_rule("d", "10.0.0.4", until(now + 14 * day + 1)),
                 endpoint("e", factory, EndpointState::approved, until(5))}) ==
        "rule a expired at 1970-01-12T13:46:40Z\n"
        "rule b expires at 1970-01-12T13:47:40Z\n"
        "deny rule c expires at 1970-01-26T13:46:40Z\n"
        "private endpoint e expired at 1970-01-01T00:00:05Z\n");
}

TEST_CASE("a rule that lets in more than a /8, or a /32 of IPv6, is reported", "[rules]") {
  CHECK(lint_of({ip_rule("all", "0.0.0.0/0"), ip_rule("all6", "::/0")}) ==
        "rule all lets in every IPv4 address\n"
        "rule all6 lets in every IPv6 address\n");
  CHECK(lint_of({ip_rule("eight", "10.0.0.0/8"), ip_rule("thirty-two", "2001:db8::/32"),
                 ip_rule("seven", "20.0.0.0/7"), ip_rule("thirty-one", "2002:db8::/31")}) ==
        "rule seven lets in 33554432 IPv4 addresses, more than a /8\n"
        "rule thirty-one lets in more IPv6 addresses than a /32 has\n");
  CHECK(lint_of({ip_rule("halves", test::list({"0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"})),
                 ip_rule("none", std::make_shared<const RangeSet>())}) ==
        "rule halves lets in every IPv4 address\n"
        "rule halves lets in every IPv6 address\n");
  CHECK(lint_of({deny_rule("nobody", "0.0.0.0/0")}).empty());
}

TEST_CASE("a rule that a deny rule covers lets nobody in", "[rules]") {
  CHECK(lint_of({ip_rule("office", "10.0.0.0/24"), deny_rule("ten", "10.0.0.0/8")}) ==
        "rule office lets nobody in: deny rule ten covers it\n");
  CHECK(lint_of({ip_rule("office", "10.0.0.0/24"), deny_rule("same", "10.0.0.0/24")}) ==
        "rule office lets nobody in: deny rule same covers it\n");
  CHECK(lint_of({vnet_rule("robots", factory, "10.0.0.0/24"),
                 ip_rule("partners", test::list({"10.1.0.0/24", "10.3.0.0/24"})),
                 deny_rule("feed", test::list({"10.0.0.0/15", "10.3.0.0/16"}))}) ==
        "rule robots (network factory) lets nobody in: deny rule feed covers it\n"
        "rule partners lets nobody in: deny rule feed covers it\n");
  CHECK(lint_of({vnet_rule("whole", factory), deny_rule("v4", "0.0.0.0/0")}).empty());
}

TEST_CASE("a deny rule that starts later or ends sooner leaves the rule some sense", "[rules]") {
  CHECK(lint_of({ip_rule("office", "10.0.0.0/24"),
                 deny_rule("ends", "10.0.0.0/8", until(now + 100 * day)),
                 deny_rule("starts", "10.0.0.0/8", from(now + 1))})
            .empty());
  CHECK(lint_of({ip_rule("office", "10.0.0.0/24", until(now + 99 * day)),
                 deny_rule("ends", "10.0.0.0/8", until(now + 100 * day))}) ==
        "rule office lets nobody in: deny rule ends covers it\n");
}

TEST_CASE("a rule inside another of its kind adds nothing, unless it lasts longer", "[rules]") {
  CHECK(lint_of({ip_rule("all", "10.0.0.0/16"), ip_rule("part", "10.0.0.0/24"),
                 ip_rule("list", test::list({"10.0.2.0/24", "10.0.4.0/24"}))}) ==
        "rule part adds nothing: rule all covers it\n"
        "rule list adds nothing: rule all covers it\n");
  CHECK(lint_of({ip_rule("all", "10.0.0.0/16", until(now + 90 * day)), ip_rule("part", "10.0.0.1")})
            .empty());
  CHECK(
      lint_of({ip_rule("all", "10.0.0.0/16", from(now + 1)), ip_rule("part", "10.0.0.1")}).empty());
  CHECK(lint_of({ip_rule("list", test::list({"10.0.0.0/16", "10.9.0.0/16"})),
                 ip_rule("part", "10.0.0.1"), ip_rule("between", "10.5.0.1")}) ==
        "rule part adds nothing: rule list covers it\n");
  CHECK(lint_of({vnet_rule("whole", factory), vnet_rule("robots", factory, "10.20.1.0/24"),
                 vnet_rule("other", NetworkId{1}, "10.20.1.0/24")}) ==
        "rule robots (network factory) adds nothing: rule whole covers it\n");
}

TEST_CASE("a shorter-lived wide rule does not hide a longer-lived one that covers", "[rules]") {
  CHECK(lint_of({ip_rule("wide", "10.0.0.0/8", until(now + 90 * day)),
                 ip_rule("lasting", "10.0.0.0/16"), ip_rule("part", "10.0.0.0/24")}) ==
        "rule part adds nothing: rule lasting covers it\n");
}

TEST_CASE("of duplicates all but the first by name are reported", "[rules]") {
  CHECK(lint_of({ip_rule("c", "10.0.0.0/24"), ip_rule("a", "10.0.0.0-10.0.0.255"),
                 ip_rule("b", test::list({"10.0.0.0/25", "10.0.0.128/25"}))}) ==
        "rule c says the same as rule a\n"
        "rule b says the same as rule a\n");
  CHECK(lint_of({ip_rule("a", test::list({"10.0.0.1", "10.0.0.3"})),
                 ip_rule("b", test::list({"10.0.0.3", "10.0.0.1"}))}) ==
        "rule b says the same as rule a\n");
  CHECK(lint_of({ip_rule("a", "10.0.0.1", from(now + 5)),
                 ip_rule("b", "10.0.0.1", from(now + 5))}) == "rule b says the same as rule a\n");
  CHECK(lint_of({endpoint("a", factory, EndpointState::approved),
                 endpoint("b", factory, EndpointState::approved)}) ==
        "private endpoint b says the same as private endpoint a\n");
  CHECK(lint_of({deny_rule("a", "10.0.0.1"), deny_rule("b", "10.0.0.1")}) ==
        "deny rule b says the same as deny rule a\n");
}

TEST_CASE("ranges that overlap in part are reported with what they share", "[rules]") {
  CHECK(lint_of({ip_rule("a", "10.0.0.0-10.0.0.20"), ip_rule("b", "10.0.0.10-10.0.0.30"),
                 ip_rule("c", "10.0.0.31")}) == "rule b overlaps rule a in 10.0.0.10-10.0.0.20\n");
  CHECK(lint_of({ip_rule("a", "10.0.0.0-10.0.0.20", until(now + 90 * day)),
                 ip_rule("b", "10.0.0.10-10.0.0.30", from(now + 90 * day))})
            .empty());
}

TEST_CASE("ten thousand rules inside one another are linted in one sweep", "[rules]") {
  std::vector<Rule> nested;
  std::vector<Rule> chained;
  for (std::uint32_t i = 0; i < 10000; ++i) {
    const std::string name = "rule-" + std::to_string(10000 + i);
    nested.push_back(
        ip_rule(name, IpRange{IpAddress::v4(0x0a000000 + i), IpAddress::v4(0x0a010000 - i)}));
    chained.push_back(ip_rule(
        name, IpRange{IpAddress::v4(0x0a000000 + 4 * i), IpAddress::v4(0x0a000000 + 4 * i + 6)}));
  }
  const std::string needless = lint_of(std::move(nested));
  CHECK(std::count(needless.begin(), needless.end(), '\n') == 9999);
  const std::string overlapping = lint_of(std::move(chained));
  CHECK(std::count(overlapping.begin(), overlapping.end(), '\n') == 9999);
}

// Whether `cover` matches every address of the small world that `rule` matches, for all its time.
bool makes_needless(const Rule& cover, const Rule& rule, Time time) {
  const auto range_of = [](const Rule& one) { return std::get<IpRange>(*addresses_of(one)); };
  const auto ends = [](const Rule& one) { return one.window.expires.value_or(Time::max()); };
  const auto starts = [&](const Rule& one) {
    return std::max(one.window.not_before.value_or(time), time);
  };
  const bool is_in_time =
      (starts(cover) == time || starts(cover) == starts(rule)) && ends(cover) >= ends(rule);
  return is_in_time && range_of(cover).contains(range_of(rule).first) &&
         range_of(cover).contains(range_of(rule).last);
}

TEST_CASE("what random rules are said to add nothing to, does cover them", "[rules]") {
  test::Random random;
  int needless = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<Rule> rules(random.below(8));
    for (std::size_t i = 0; i < rules.size(); ++i) {
      rules[i] = ip_rule("rule-" + std::to_string(i), test::random_range(random),
                         test::random_window(random));
      rules[i].origin.line = static_cast<int>(i);
    }
    const Time time = test::random_time(random);
    const Policy policy(spec_of(rules));
    const auto findings = lint(policy, NetworkMap(), time);
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (rules[i].window.at(time) == Window::At::after) continue;
      const bool is_said = std::any_of(findings.begin(), findings.end(), [&](const Finding& one) {
        return one.origin.line == static_cast<int>(i) &&
               (one.message.find(" adds nothing: ") != std::string::npos ||
                one.message.find(" says the same as ") != std::string::npos);
      });
      // A rule that starts later is covered by one in force, or by its twin.
      bool is_so = false;
      for (std::size_t j = 0; j < rules.size(); ++j) {
        const Rule& other = rules[j];
        if (i == j || other.window.at(time) == Window::At::after) continue;
        const bool is_mutual = makes_needless(rules[i], other, time);
        const bool has_started = other.window.at(time) == Window::At::in_force;
        const bool covers = makes_needless(other, rules[i], time);
        is_so |= covers && (is_mutual ? j < i : has_started);
      }
      if (is_said != is_so) FAIL(test::to_text(policy.spec()) << "\n" << rules[i].name);
      needless += is_so ? 1 : 0;
    }
  }
  CHECK(needless > 1000);
}

}  // namespace
}  // namespace gatehouse::rules
