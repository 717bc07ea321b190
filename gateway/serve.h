// Serving one connection in the protocol of its listener.
#pragma once

#include "gateway/session.h"

namespace gatehouse {

// What a worker spawns for each connection.
Awaitable<void> serve(Worker& worker, Accepted accepted);

}  // namespace gatehouse
