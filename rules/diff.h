// Which sources gain or lose which server between two sets of policies, exactly, by asking
// Policy::decide on both sides of every border that any rule draws.
#pragma once

#include <string>
#include <vector>

#include "rules/networks.h"
#include "rules/policy.h"

namespace gatehouse::rules {

// One side of the comparison. Everything pointed to must outlive the call and what it returns.
struct PolicySet {
  const NetworkMap* networks = nullptr;
  std::vector<const Policy*> policies;  // servers absent on one side deny everyone there
};

struct AccessChange {
  std::string server;
  IpRange sources;
  std::string network;  // empty: sources that came by no network
  const Rule* rule =
      nullptr;  // gained: the rule that allows now; lost: the rule that allowed before
};

struct AccessDiff {
  std::vector<AccessChange> gained;  // by server, network, address
  std::vector<AccessChange> lost;
};

// Networks are the same where their names are. `now` stands for both sides.
[[nodiscard]] AccessDiff diff(const PolicySet& before, const PolicySet& after, Time now);

}  // namespace gatehouse::rules
