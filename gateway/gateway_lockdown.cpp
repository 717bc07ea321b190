// The part of the gateway that locks servers down by command (decisions/0014).
#include "gateway/gateway.h"

namespace gatehouse {

Gateway::LockdownOutcome Gateway::lock_down(const std::string& server, std::uint32_t uid) {
  Lockdowns& lockdowns = *continuity_.lockdowns;
  const bool is_new = lockdowns.find(server) == nullptr;
  if (is_new) {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    lockdowns.add({.server = server, .since = now, .uid = uid});
    log_.info("server {} is locked down by command of user {}", server, uid);
  }
  const bool was_put_in_force = put_lockdown_in_force(server);
  LockdownOutcome outcome{.changed = is_new || was_put_in_force, .error = lockdowns.store()};
  if (!outcome.error.empty()) {
    log_.error("the lockdown of server {} is not on disk and would not survive a restart: {}",
               server, outcome.error);
  }
  return outcome;
}

Gateway::LockdownOutcome Gateway::unlock(const std::string& server, std::uint32_t uid) {
  Lockdowns& lockdowns = *continuity_.lockdowns;
  const bool was_locked_down = lockdowns.find(server) != nullptr;
  if (was_locked_down) {
    std::string error = lockdowns.remove(server);
    if (!error.empty()) {
      log_.error("server {} stays locked down: {}", server, error);
      return {.changed = false, .error = std::move(error)};
    }
    log_.info("server {} is no longer locked down by command, which user {} lifted", server, uid);
  }
  const bool was_put_in_force = put_lockdown_in_force(server);
  return {.changed = was_locked_down || was_put_in_force, .error = {}};
}

// By what is in force, not by what was asked before: a want of memory may have come between.
bool Gateway::put_lockdown_in_force(const std::string& server) {
  const auto started = Clock::now();
  const ServerState* state = snapshot_->find_server(server);
  const bool wanted = lockdowns().find(server) != nullptr;
  const bool is_new = state != nullptr && state->policy.locked_down != wanted;
  if (is_new) change_to(with_lockdowns(*snapshot_, lockdowns()), started);
  if (all_are_told_) return false;
  tell_all();
  return true;
}

}  // namespace gatehouse
