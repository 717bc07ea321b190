// How a step of a login ends a session.
#pragma once

#include <optional>

#include "gateway/close_reason.h"
#include "gateway/mariadb/refusal.h"

namespace gatehouse::mariadb {

// Why the session ends, and what its client may still be told.
struct Stop {
  CloseReason reason = CloseReason::internal_error;
  std::optional<Refusal> message;
};

}  // namespace gatehouse::mariadb
