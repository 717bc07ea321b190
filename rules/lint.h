// What is allowed to stand in rule files but deserves a second look. Nothing here stops a load.
#pragma once

#include <string>
#include <vector>

#include "rules/networks.h"
#include "rules/policy.h"

namespace gatehouse::rules {

struct Finding {
  Origin origin;
  std::string message;  // names the server and the rule
  std::string hint;     // what to do; may be empty
};

// How long before its end a rule is said to expire soon: time to ask its
// owner whether it is still needed.
inline constexpr std::chrono::seconds expires_soon = std::chrono::days(14);

// Over-broad (an IP rule or list that admits all addresses, or more than a /8 or a v6 /32),
// shadowed (a rule wholly inside one deny rule, or inside another allow rule that never ends before
// it), duplicate, overlapping, expired, and expiring within `expires_soon`. Sorted by origin.
[[nodiscard]] std::vector<Finding> lint(const Policy& policy, const NetworkMap& networks, Time now);

}  // namespace gatehouse::rules
