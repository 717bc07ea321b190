// The decision: may this source reach that server? One pure function, which sessions, `explain`,
// `diff` and the re-check of live sessions all call.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/address_rules.h"
#include "rules/rule.h"

namespace gatehouse::rules {

enum class Verdict { deny, undecided, allow };

// Why. The names are audit values and metric labels; `undecided` never reaches either.
enum class Reason {
  // of an allow
  ip_rule,
  vnet_rule,
  private_endpoint,
  // of a deny
  unknown_network,
  ambiguous_network,
  locked_down,
  denied_by_rule,
  endpoint_not_approved,
  public_access_disabled,
  rule_expired,
  rule_not_yet_valid,
  no_matching_rule,
  // of a deny that no rule is about: the gateway's own, never Policy::decide's
  blocked,
  unknown_server,
  // a fact that matters is not known yet
  undecided,
};
inline constexpr std::size_t reason_count = static_cast<std::size_t>(Reason::undecided) + 1;

[[nodiscard]] std::string_view to_string(Verdict verdict) noexcept;
[[nodiscard]] std::string_view to_string(Reason reason) noexcept;
[[nodiscard]] std::string_view to_string(RuleKind kind) noexcept;

// What is known about a source. Unset means "not known yet", never "any"; facts only grow.
struct Facts {
  std::optional<IpAddress> address;
  std::optional<Arrival> arrival;
  Time now{};
};

// Starts as a denial, so that a decision nobody made lets nobody in.
struct Decision {
  Verdict verdict = Verdict::deny;
  Reason reason = Reason::no_matching_rule;
  // The rule that decided; owned by the Policy. Null where none did (default deny, lockdown, …) or
  // where it depends on a fact that is not known yet.
  const Rule* rule = nullptr;
};

enum class PublicNetworkAccess { enabled, disabled };
enum class OnRevoke { close, keep };

// Everything the rule files say about one server, joined.
struct PolicySpec {
  std::string server;
  PublicNetworkAccess public_network_access = PublicNetworkAccess::enabled;
  bool locked_down = false;
  std::optional<Origin> locked_down_at;  // where a file sets `locked_down`
  OnRevoke on_revoke = OnRevoke::close;
  // In any order. Where several rules would decide alike, the one named is that of the least name,
  // so that joining files in another order changes nothing.
  std::vector<Rule> rules;
};

// All rules of one server, compiled. Immutable; read by any thread without a lock. Not copied or
// moved: decisions point into it.
class Policy {
 public:
  explicit Policy(PolicySpec spec);
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  // Total and pure. Decides as early as the facts allow: an allow or a deny stays what it is
  // whatever is learned later; `undecided` says that a missing fact matters, and at the last
  // decision the caller must take it for a deny.
  [[nodiscard]] Decision decide(const Facts& facts) const noexcept {
    return decide(facts, spec_.locked_down);
  }

  [[nodiscard]] const std::string& server() const noexcept { return spec_.server; }
  [[nodiscard]] const PolicySpec& spec() const noexcept { return spec_; }
  // Sorted by name. A rule's place here is its number.
  [[nodiscard]] const std::vector<Rule>& rules() const noexcept { return spec_.rules; }
  // REQUIRES: `rule` is one of rules().
  [[nodiscard]] std::size_t number_of(const Rule& rule) const noexcept;

 private:
  friend struct PolicyInForce;

  struct NetworkRules {
    NetworkId network{};
    AddressRules vnet;
    std::vector<std::size_t> endpoints;
  };
  // What judges sources that came one way. Null members: nothing does.
  struct Gate {
    const std::vector<std::size_t>* endpoints = nullptr;
    const AddressRules* rules = nullptr;
    Reason allow = Reason::no_matching_rule;  // the reason of an allow by `rules`
  };

  [[nodiscard]] Gate public_gate() const noexcept;
  [[nodiscard]] Gate gate(const NetworkRules& rules) const noexcept;
  [[nodiscard]] Gate gate(NetworkId network) const noexcept;

  [[nodiscard]] Decision decide(const Facts& facts, bool is_locked_down) const noexcept;
  // Steps 2 to 7 of the decision, for a source that came through `gate`.
  [[nodiscard]] Decision judge(const Gate& gate, const Facts& facts) const noexcept;
  [[nodiscard]] Decision judge_any_address(const Gate& gate, Time now) const noexcept;
  // Steps 3 and 4, which need no address. Unset: neither decides.
  [[nodiscard]] std::optional<Decision> judge_way(const Gate& gate, Time now) const noexcept;
  [[nodiscard]] Decision judge_endpoints(const std::vector<std::size_t>& endpoints,
                                         Time now) const noexcept;
  [[nodiscard]] Decision conclude(const Hits& hits, Reason allow) const noexcept;

  PolicySpec spec_;
  AddressRules ip_;
  AddressRules deny_;
  std::vector<NetworkRules> networks_;  // sorted by network
};

// A policy and what an operator has commanded besides: what sessions and `explain` ask.
struct PolicyInForce {
  const Policy* written = nullptr;  // by the rule files; not null when asked
  bool locked_down = false;         // by command, whatever the files say

  [[nodiscard]] bool is_locked_down() const noexcept {
    return locked_down || written->spec_.locked_down;
  }
  // Policy::decide, with a lockdown by either.
  [[nodiscard]] Decision decide(const Facts& facts) const noexcept {
    return written->decide(facts, is_locked_down());
  }
};

// The first decision of a listener that leads to several servers, before the one meant is known:
// denies only what every one of them would deny, for their common reason, else `no_matching_rule`;
// anything else is undecided, an allow of all of them too. No servers: a deny.
[[nodiscard]] Decision decide_for_any(std::span<const PolicyInForce> policies,
                                      const Facts& facts) noexcept;

}  // namespace gatehouse::rules
