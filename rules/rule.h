// What an operator wrote: one named reason to let a source reach one server, or to keep it out.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "rules/ip_address.h"
#include "rules/networks.h"
#include "rules/range_set.h"

namespace gatehouse::rules {

// The system clock's seconds, UTC. The engine is given the time, it never asks for it.
using Time = std::chrono::sys_seconds;

// Where a rule was written; `line` counts from 1.
struct Origin {
  std::string file;
  int line = 0;
  friend auto operator<=>(const Origin&, const Origin&) = default;
};

// When a rule is in force: not_before <= now < expires.
struct Window {
  std::optional<Time> not_before;
  std::optional<Time> expires;

  enum class At { before, in_force, after };
  [[nodiscard]] constexpr At at(Time now) const noexcept {
    if (expires && now >= *expires) return At::after;
    if (not_before && now < *not_before) return At::before;
    return At::in_force;
  }
};

enum class RuleKind { ip, vnet, private_endpoint, deny };
enum class EndpointState { pending, approved, rejected };

// One range, or a list that several rules and servers may share.
using Addresses = std::variant<IpRange, std::shared_ptr<const RangeSet>>;

struct IpRule {
  Addresses addresses;
};
struct DenyRule {
  Addresses addresses;
};
struct VnetRule {
  NetworkId network{};
  std::optional<Subnet> subnet;  // Unset: the whole network.
};
struct PrivateEndpoint {
  NetworkId network{};
  EndpointState state = EndpointState::pending;
};

struct Rule {
  std::string name;  // unique among the rules of a server
  Origin origin;
  Window window;
  std::string description;
  std::string owner;
  std::variant<IpRule, VnetRule, PrivateEndpoint, DenyRule> what;

  [[nodiscard]] RuleKind kind() const noexcept { return static_cast<RuleKind>(what.index()); }
};
static_assert(std::is_same_v<std::variant_alternative_t<static_cast<int>(RuleKind::deny),
                                                        decltype(Rule::what)>,
                             DenyRule>,
              "RuleKind lists the alternatives of Rule::what in their order");

// What an IP rule or a deny rule says; null for the others.
[[nodiscard]] const Addresses* addresses_of(const Rule& rule) noexcept;

}  // namespace gatehouse::rules
