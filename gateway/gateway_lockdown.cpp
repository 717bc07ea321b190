// The part of the gateway that locks servers down by command (decisions/0014).
#include <algorithm>
#include <new>

#include "gateway/gateway.h"

namespace gatehouse {

Gateway::LockdownOutcome Gateway::lock_down(const std::string& server, std::uint32_t uid) {
  Lockdowns& lockdowns = *continuity_.lockdowns;
  LockdownOutcome outcome{.changed = !is_locked_down_now(server), .error = {}};
  if (lockdowns.find(server) == nullptr) {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    lockdowns.add({.server = server, .since = now, .uid = uid});
  }
  try {
    put_lockdowns_in_force();
    if (outcome.changed) log_.info("server {} is locked down by command of user {}", server, uid);
  } catch (const std::bad_alloc&) {
    outcome.lacked_memory = true;
  }
  outcome.error = lockdowns.store();
  if (!outcome.error.empty()) {
    log_.error("the lockdown of server {} is not on disk and would not survive a restart: {}",
               server, outcome.error);
  }
  return outcome;
}

Gateway::LockdownOutcome Gateway::unlock(const std::string& server, std::uint32_t uid) {
  Lockdowns& lockdowns = *continuity_.lockdowns;
  LockdownOutcome outcome{.changed = is_locked_down_now(server), .error = {}};
  if (lockdowns.find(server) != nullptr) {
    outcome.error = lockdowns.remove(server);
    if (!outcome.error.empty()) {
      log_.error("server {} stays locked down: {}", server, outcome.error);
      outcome.changed = false;
      return outcome;
    }
  }
  try {
    put_lockdowns_in_force();
    if (outcome.changed) {
      log_.info("server {} is no longer locked down by command, which user {} lifted", server, uid);
    }
  } catch (const std::bad_alloc&) {
    outcome.lacked_memory = true;
  }
  return outcome;
}

// By what is in force, not by what was asked before: a want of memory may have come between. Of one
// that no file has any more only the mark is left.
bool Gateway::is_locked_down_now(const std::string& server) const {
  const ServerState* state = snapshot_->find_server(server);
  return state != nullptr ? state->policy.locked_down : lockdowns().find(server) != nullptr;
}

void Gateway::put_lockdowns_in_force() {
  const auto started = Clock::now();
  const bool are_other = std::ranges::any_of(snapshot_->servers, [&](const auto& server) {
    return server->policy.locked_down != (lockdowns().find(server->server->name) != nullptr);
  });
  if (are_other) change_to(with_lockdowns(*snapshot_, lockdowns()), started);
  if (!all_are_told_) tell_all();
}

}  // namespace gatehouse
