// How often each rule decided, and when last: for the `rules` command, so that rules nobody needs
// can be found. Counts go on over reloads as long as the rule keeps its server, kind and name.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "rules/policy.h"

namespace gatehouse {

class RuleUse {
 public:
  void used(rules::Time now) noexcept;
  [[nodiscard]] std::uint64_t hits() const noexcept;
  // Unset: never, since this process started.
  [[nodiscard]] std::optional<rules::Time> last_used() const noexcept;

 private:
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::int64_t> last_used_{0};  // seconds since the epoch; 0: never
};

// One entry a rule, in the order of Policy::rules(): `uses[policy.number_of(rule)]->used(now)`.
using RuleUses = std::vector<std::shared_ptr<RuleUse>>;

// Asked while a snapshot is built, not by sessions. Counts live as long as a snapshot holds them.
class RuleUseTable {
 public:
  [[nodiscard]] RuleUses of(const rules::Policy& policy);

 private:
  using Key = std::tuple<std::string, rules::RuleKind, std::string>;  // server, kind, name
  std::mutex mutex_;
  std::map<Key, std::weak_ptr<RuleUse>> uses_;
};

}  // namespace gatehouse
