#include "gateway/observe/rule_use.h"

#include <catch2/catch.hpp>

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

constexpr rules::Time noon(1795348800s);

rules::PolicySpec spec(std::string server, std::vector<std::string> names) {
  rules::PolicySpec spec;
  spec.server = std::move(server);
  for (std::string& name : names) {
    rules::Rule rule;
    rule.name = std::move(name);
    rule.what = rules::IpRule{rules::IpRange::parse("192.0.2.0/24").range};
    spec.rules.push_back(std::move(rule));
  }
  return spec;
}

TEST_CASE("a rule that was never used has no last use", "[rule-use]") {
  RuleUse use;
  CHECK(use.hits() == 0);
  CHECK_FALSE(use.last_used());
  use.used(noon);
  use.used(noon + 5s);
  CHECK(use.hits() == 2);
  CHECK(use.last_used() == noon + 5s);
}

TEST_CASE("uses stand in the order of the policy's rules", "[rule-use]") {
  RuleUseTable table;
  const rules::Policy policy(spec("orders", {"b", "a"}));
  const RuleUses uses = table.of(policy);
  REQUIRE(uses.size() == 2);
  uses[policy.number_of(policy.rules()[1])]->used(noon);
  CHECK(uses[0]->hits() == 0);
  CHECK(uses[1]->hits() == 1);
}

TEST_CASE("counts go on over a reload and begin anew when the rule was gone", "[rule-use]") {
  RuleUseTable table;
  const rules::Policy first(spec("orders", {"a", "b"}));
  const rules::Policy second(spec("orders", {"b", "c"}));
  RuleUses uses = table.of(first);
  uses[0]->used(noon);
  uses[1]->used(noon);

  uses = table.of(second);
  CHECK(uses[0]->hits() == 1);
  CHECK(uses[1]->hits() == 0);

  uses = table.of(first);
  CHECK(uses[0]->hits() == 0);
  CHECK(uses[1]->hits() == 1);
}

TEST_CASE("rules of one name on two servers are two", "[rule-use]") {
  RuleUseTable table;
  const RuleUses orders = table.of(rules::Policy(spec("orders", {"a"})));
  const RuleUses billing = table.of(rules::Policy(spec("billing", {"a"})));
  orders[0]->used(noon);
  CHECK(billing[0]->hits() == 0);
}

}  // namespace
}  // namespace gatehouse
