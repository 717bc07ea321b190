// A decision with what a person wants to know next: which rule came nearest to letting the source
// in.
#pragma once

#include <optional>
#include <string>

#include "rules/policy.h"

namespace gatehouse::rules {

struct NearestMiss {
  const Rule* rule = nullptr;  // owned by the Policy; never null
  enum class Why { expired, not_yet_valid, not_approved, address_outside };
  Why why = Why::address_outside;
  // Where why is address_outside: the rule's range that lies nearest.
  std::optional<IpRange> range;
};

struct Explanation {
  Decision decision;
  // Set where the source was denied for want of a rule in force: a rule that would match but is not
  // in force or approved, else the one whose range is numerically nearest among the rules that may
  // judge such a source (IP rules for a public one, the network's vnet rules for one that came by a
  // network).
  std::optional<NearestMiss> nearest_miss;
};

// REQUIRES: every fact is set. Calls PolicyInForce::decide.
[[nodiscard]] Explanation explain(const PolicyInForce& policy, const Facts& facts);

// One line for a person, such as "expired at 2026-12-31T17:00:00Z" or
// "203.0.113.64/26 starts 3 addresses later".
[[nodiscard]] std::string describe(const NearestMiss& miss, const IpAddress& address);

// RFC 3339 in UTC, whole seconds.
[[nodiscard]] std::string to_string(Time time);

}  // namespace gatehouse::rules
