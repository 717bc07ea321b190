#include "gateway/serve.h"

#include <utility>

#include "gateway/cassandra_session.h"
#include "gateway/mariadb_session.h"
#include "gateway/worker.h"

namespace gatehouse {

namespace {

// A coroutine for each protocol: its frame has room for the session of that protocol and no other.
template <typename ProtocolSession>
Awaitable<void> serve_as(Worker& worker, Accepted accepted) {
  const Worker::Counted counted(worker);
  ProtocolSession session(worker, std::move(accepted));
  co_await session.run();
}

}  // namespace

Awaitable<void> serve(Worker& worker, Accepted accepted) {
  const ListenerState* listener = worker.snapshot()->find_listener(accepted.listener);
  if (listener != nullptr && listener->listener->protocol == config::Protocol::cassandra) {
    return serve_as<CassandraSession>(worker, std::move(accepted));
  }
  return serve_as<MariadbSession>(worker, std::move(accepted));
}

}  // namespace gatehouse
