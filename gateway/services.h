// What every session uses and nobody owns: one set a process, made before the first worker and gone
// after the last.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "gateway/failed_logins.h"
#include "gateway/observe/audit_log.h"
#include "gateway/observe/log.h"
#include "gateway/observe/metrics.h"
#include "gateway/places.h"
#include "gateway/thread_ids.h"

namespace gatehouse {

struct Services {
  Log& log;
  AuditLog& audit;
  Metrics& metrics;
  Places& places;
  FailedLogins& failed_logins;
  ThreadIds& thread_ids;
  // Denied clients that are being told so, where that takes a while; against limits.refusals.
  std::atomic<std::uint32_t>& refusals;
  // Starts at a random number, so that a session's id is unique over restarts too.
  std::atomic<std::uint64_t>& next_session;
  // Of the account this process runs under: what a backend behind a unix socket takes it for.
  const std::string& own_user;
};

}  // namespace gatehouse
