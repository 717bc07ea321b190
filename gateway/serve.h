// Serving one connection in the protocol of its listener.
#pragma once

#include "gateway/session.h"

namespace gatehouse {

// Begins a session, which goes on by itself until nothing is left of it. What it lacks memory for
// later ends it; what throws here has recorded it already, if it had begun.
void serve(Worker& worker, Accepted accepted);

}  // namespace gatehouse
