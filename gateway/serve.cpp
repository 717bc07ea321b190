#include "gateway/serve.h"

#include <utility>

#include "gateway/mariadb_session.h"
#include "gateway/worker.h"

namespace gatehouse {

// One coroutine for each protocol: its frame has room for the session of that protocol and no
// other.
Awaitable<void> serve(Worker& worker, Accepted accepted) {
  const Worker::Counted counted(worker);
  MariadbSession session(worker, std::move(accepted));
  co_await session.run();
}

}  // namespace gatehouse
