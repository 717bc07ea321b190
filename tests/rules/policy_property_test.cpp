// The laws of the decision, and the decision itself against a naive one, on random policies.
#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/rules/build.h"
#include "tests/rules/naive_policy.h"
#include "tests/rules/random.h"

namespace gatehouse::rules {
namespace {

using test::Random;

Facts random_facts(Random& random) {
  return {.address = test::random_address(random),
          .arrival = test::random_arrival(random),
          .now = test::random_time(random)};
}

std::string_view rule_name(const Decision& decision) {
  if (decision.rule == nullptr) return {};
  return decision.rule->name;
}

bool is_same(const Decision& a, const Decision& b) {
  return a.verdict == b.verdict && a.reason == b.reason && rule_name(a) == rule_name(b);
}

bool is_same(const Decision& a, const test::NaiveDecision& b) {
  return a.verdict == b.verdict && a.reason == b.reason && rule_name(a) == b.rule;
}

// What sessions ask: now and then the server is locked down by command, whatever its rules say.
PolicyInForce random_in_force(Random& random, const Policy& policy) {
  return {.written = &policy, .locked_down = random.one_in(25)};
}

// To the naive engine a lockdown by command is one by the rules.
test::NaiveDecision naive_decide(const PolicyInForce& policy, const Facts& facts) {
  if (!policy.locked_down) return test::naive_decide(policy.written->spec(), facts);
  PolicySpec locked_down = policy.written->spec();
  locked_down.locked_down = true;
  return test::naive_decide(locked_down, facts);
}

[[noreturn]] void fail(const PolicyInForce& policy, const Facts& facts, const std::string& what) {
  FAIL(what << "\n"
            << test::to_text(policy.written->spec())
            << (policy.locked_down ? ", locked down by command" : "") << "\n"
            << test::to_text(facts) << "\n  -> " << test::to_text(policy.decide(facts)));
  throw std::logic_error("FAIL returned");
}
[[noreturn]] void fail(const Policy& policy, const Facts& facts, const std::string& what) {
  fail(PolicyInForce{.written = &policy}, facts, what);
}

// How often each reason came up: a property that was never put to the test has not held.
class Reached {
 public:
  void count(const Decision& decision) { ++counts_[static_cast<std::size_t>(decision.reason)]; }
  [[nodiscard]] int least_of(std::initializer_list<Reason> reasons) const {
    int least = std::numeric_limits<int>::max();
    for (const Reason reason : reasons) {
      least = std::min(least, counts_[static_cast<std::size_t>(reason)]);
    }
    return least;
  }

 private:
  std::array<int, reason_count> counts_{};
};

TEST_CASE("with every fact known, the decision is the naive one, rule and reason included",
          "[rules]") {
  Random random;
  Reached reached;
  for (int round = 0; round < 60000; ++round) {
    const Policy policy(test::random_policy(random, 12));
    for (int source = 0; source < 100; ++source) {
      const Facts facts = random_facts(random);
      const PolicyInForce in_force = random_in_force(random, policy);
      const auto want = naive_decide(in_force, facts);
      const Decision got = in_force.decide(facts);
      reached.count(got);
      if (!is_same(got, want)) {
        fail(in_force, facts, "want " + std::string(to_string(want.reason)) + ' ' + want.rule);
      }
    }
  }
  CHECK(reached.least_of({Reason::ip_rule, Reason::vnet_rule, Reason::private_endpoint,
                          Reason::unknown_network, Reason::ambiguous_network, Reason::locked_down,
                          Reason::denied_by_rule, Reason::endpoint_not_approved,
                          Reason::public_access_disabled, Reason::rule_expired,
                          Reason::rule_not_yet_valid, Reason::no_matching_rule}) > 10000);
}

TEST_CASE("with facts missing, the decision is what every way they could turn out has in common",
          "[rules]") {
  Random random;
  Reached reached;
  for (int round = 0; round < 60000; ++round) {
    const Policy policy(test::random_policy(random, round % 8 == 0 ? 2 : 8));
    for (int source = 0; source < 6; ++source) {
      Facts facts = random_facts(random);
      const bool keeps_address = random.one_in(2);
      if (!keeps_address) facts.address.reset();
      if (!keeps_address ? random.one_in(3) : true) facts.arrival.reset();
      const PolicyInForce in_force = random_in_force(random, policy);
      const auto want = naive_decide(in_force, facts);
      const Decision got = in_force.decide(facts);
      reached.count(got);
      // A rule may go unnamed while the address is not known; one that is named is the right one.
      const bool rule_is_right =
          got.rule == nullptr ? !facts.address || want.rule.empty() : got.rule->name == want.rule;
      if (got.verdict != want.verdict || got.reason != want.reason || !rule_is_right) {
        fail(in_force, facts,
             "want " + std::string(to_string(want.verdict)) + ' ' +
                 std::string(to_string(want.reason)) + ' ' + want.rule);
      }
    }
  }
  CHECK(reached.least_of({Reason::ip_rule, Reason::vnet_rule, Reason::private_endpoint,
                          Reason::undecided, Reason::locked_down, Reason::denied_by_rule,
                          Reason::endpoint_not_approved, Reason::public_access_disabled,
                          Reason::rule_expired, Reason::rule_not_yet_valid,
                          Reason::no_matching_rule}) > 10);
}

TEST_CASE("an early decision never changes as facts grow", "[rules]") {
  Random random;
  for (int round = 0; round < 20000; ++round) {
    const Policy written(test::random_policy(random, 6));
    for (int source = 0; source < 20; ++source) {
      const PolicyInForce policy = random_in_force(random, written);
      const Facts known = random_facts(random);
      const Verdict final_verdict = policy.decide(known).verdict;
      if (final_verdict == Verdict::undecided) fail(policy, known, "undecided with every fact");
      for (const bool has_address : {false, true}) {
        Facts early = known;
        if (!has_address) early.address.reset();
        if (has_address || random.one_in(2)) early.arrival.reset();
        const Verdict verdict = policy.decide(early).verdict;
        if (verdict != Verdict::undecided && verdict != final_verdict) {
          fail(policy, early, "taken back for " + test::to_text(known));
        }
      }
    }
  }
  SUCCEED();
}

TEST_CASE("the order of rules never matters", "[rules]") {
  Random random;
  for (int round = 0; round < 10000; ++round) {
    const Policy policy(test::random_policy(random, 12));
    PolicySpec shuffled = policy.spec();
    std::shuffle(shuffled.rules.begin(), shuffled.rules.end(), random.engine());
    const Policy other(std::move(shuffled));
    for (int source = 0; source < 30; ++source) {
      Facts facts = random_facts(random);
      if (random.one_in(4)) facts.address.reset();
      if (random.one_in(4)) facts.arrival.reset();
      if (!is_same(policy.decide(facts), other.decide(facts))) fail(policy, facts, "not shuffled");
    }
  }
  SUCCEED();
}

// Adds a random rule to random policies; `is_broken(before, after)` tells of a verdict that must
// not become the other.
template <typename MakeRule, typename Broken>
void check_addition(const MakeRule& make_rule, const Broken& is_broken) {
  Random random;
  for (int round = 0; round < 10000; ++round) {
    const Policy before(test::random_policy(random, 10));
    PolicySpec spec = before.spec();
    spec.rules.push_back(make_rule(random, spec));
    const Policy after(std::move(spec));
    for (int source = 0; source < 40; ++source) {
      Facts facts = random_facts(random);
      if (random.one_in(8)) facts.address.reset();
      if (random.one_in(8)) facts.arrival.reset();
      const Verdict was = before.decide(facts).verdict;
      if (is_broken(was, after.decide(facts).verdict)) {
        fail(after, facts, "was " + std::string(to_string(was)));
      }
    }
  }
  SUCCEED();
}

bool gained(Verdict before, Verdict after) {
  return after > before;
}
bool lost(Verdict before, Verdict after) {
  return after < before;
}

TEST_CASE("adding a deny rule never allows", "[rules]") {
  check_addition(
      [](Random& random, const PolicySpec&) {
        return test::random_rule(random, RuleKind::deny, random.one_in(2) ? "a" : "z");
      },
      gained);
}

TEST_CASE("adding an IP rule or a vnet rule never denies", "[rules]") {
  check_addition(
      [](Random& random, const PolicySpec&) {
        return test::random_rule(random, random.one_in(2) ? RuleKind::ip : RuleKind::vnet, "added");
      },
      lost);
}

TEST_CASE("adding an approved endpoint never denies", "[rules]") {
  check_addition(
      [](Random& random, const PolicySpec& spec) {
        Rule rule = test::random_rule(random, RuleKind::private_endpoint, "added");
        auto& endpoint = std::get<PrivateEndpoint>(rule.what);
        endpoint.state = EndpointState::approved;
        // A network has either vnet rules or endpoints on a server, or is refused on loading. Here
        // it may have both, and then the endpoint must be in force to replace the vnet rules.
        const bool has_vnet_rules =
            std::any_of(spec.rules.begin(), spec.rules.end(), [&](const Rule& other) {
              const auto* vnet = std::get_if<VnetRule>(&other.what);
              return vnet != nullptr && vnet->network == endpoint.network;
            });
        if (has_vnet_rules) rule.window = {};
        return rule;
      },
      lost);
}

TEST_CASE("a policy without rules lets nobody in", "[rules]") {
  Random random;
  PolicySpec spec = test::spec_of({});
  const Policy open(spec);
  spec.public_network_access = PublicNetworkAccess::disabled;
  const Policy closed(spec);
  for (int source = 0; source < 100000; ++source) {
    Facts facts = random_facts(random);
    if (random.one_in(4)) facts.address.reset();
    if (random.one_in(4)) facts.arrival.reset();
    if (open.decide(facts).verdict != Verdict::deny) fail(open, facts, "no rules, no entry");
    if (closed.decide(facts).verdict != Verdict::deny) fail(closed, facts, "no rules, no entry");
  }
  SUCCEED();
}

TEST_CASE("what is denied for any server is denied for each, for the common reason", "[rules]") {
  Random random;
  for (int round = 0; round < 10000; ++round) {
    const Policy a(test::random_policy(random, 6));
    const Policy b(test::random_policy(random, 6));
    const Policy c(test::random_policy(random, 6));
    const std::vector<PolicyInForce> all{random_in_force(random, a), random_in_force(random, b),
                                         random_in_force(random, c)};
    const std::span<const PolicyInForce> some(all.data(), 1 + random.below(3));
    for (int source = 0; source < 20; ++source) {
      Facts facts = random_facts(random);
      if (random.one_in(4)) facts.address.reset();
      if (random.one_in(4)) facts.arrival.reset();
      const bool each_denies =
          std::all_of(some.begin(), some.end(), [&](const PolicyInForce& policy) {
            return policy.decide(facts).verdict == Verdict::deny;
          });
      const Reason first = some.front().decide(facts).reason;
      const bool has_common = std::all_of(
          some.begin(), some.end(),
          [&](const PolicyInForce& policy) { return policy.decide(facts).reason == first; });
      const Decision decision = decide_for_any(some, facts);
      const Decision want = !each_denies ? Decision{Verdict::undecided, Reason::undecided, nullptr}
                            : has_common ? Decision{Verdict::deny, first, decision.rule}
                                         : Decision{};
      if (!is_same(decision, want)) fail(a, facts, "for any: " + test::to_text(decision));
      if (decision.rule != nullptr && some.size() > 1) fail(a, facts, "a rule of one server");
    }
  }
  SUCCEED();
}

}  // namespace
}  // namespace gatehouse::rules
