#include "gateway/observe/rule_use.h"

#include <algorithm>

namespace gatehouse {

void RuleUse::used(rules::Time now) noexcept {
  hits_.fetch_add(1, std::memory_order_relaxed);
  const std::int64_t seconds = now.time_since_epoch().count();
  // Most hits come within a second of another: do not fight for the cache line twice.
  if (last_used_.load(std::memory_order_relaxed) != seconds) {
    last_used_.store(seconds, std::memory_order_relaxed);
  }
}

std::uint64_t RuleUse::hits() const noexcept {
  return hits_.load(std::memory_order_relaxed);
}

std::optional<rules::Time> RuleUse::last_used() const noexcept {
  const std::int64_t seconds = last_used_.load(std::memory_order_relaxed);
  if (seconds == 0) return std::nullopt;
  return rules::Time(std::chrono::seconds(seconds));
}

RuleUses RuleUseTable::of(const rules::Policy& policy) {
  const std::lock_guard lock(mutex_);
  RuleUses uses;
  uses.reserve(policy.rules().size());
  for (const rules::Rule& rule : policy.rules()) {
    std::weak_ptr<RuleUse>& kept = uses_[Key{policy.server(), rule.kind(), rule.name}];
    std::shared_ptr<RuleUse> use = kept.lock();
    if (use == nullptr) kept = use = std::make_shared<RuleUse>();
    uses.push_back(std::move(use));
  }
  std::erase_if(uses_, [](const auto& entry) { return entry.second.expired(); });
  return uses;
}

}  // namespace gatehouse
