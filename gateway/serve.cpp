#include "gateway/serve.h"

#include <functional>
#include <new>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "gateway/cassandra_session.h"
#include "gateway/mariadb_session.h"
#include "gateway/worker.h"

namespace gatehouse {

namespace {

std::unique_ptr<Session> make_session(Worker& worker, Accepted accepted) {
  const ListenerState* listener = worker.snapshot()->find_listener(accepted.listener);
  if (listener != nullptr && listener->listener->protocol == config::Protocol::cassandra) {
    return std::make_unique<CassandraSession>(worker, std::move(accepted));
  }
  return std::make_unique<MariadbSession>(worker, std::move(accepted));
}

void tell_of_lack(Worker& worker) {
  worker.services().log.error("a session ended for want of memory");
}

void relay(Worker& worker, std::unique_ptr<Session> session);

// These two own the session, and not the handler of co_spawn: where nothing was waited for, Asio
// puts that off behind whoever else is being accepted, and who is refused holds nothing so long.

Awaitable<void> go_on(Worker& worker, std::unique_ptr<Session> session, RelayEnd end) {
  const bool goes_on = co_await session->go_on(end);
  if (goes_on) relay(worker, std::move(session));
}

Awaitable<void> arrive(Worker& worker, std::unique_ptr<Session> session) {
  const bool goes_on = co_await session->arrive();
  if (goes_on) relay(worker, std::move(session));
}

void spawn(Worker& worker, Awaitable<void> steps) {
  asio::co_spawn(worker.executor(), std::move(steps), [&worker](const std::exception_ptr& failure) {
    if (failure) tell_of_lack(worker);
  });
}

// Nobody but the relay knows of the session, and of what to do when it ends.
void relay(Worker& worker, std::unique_ptr<Session> session) {
  Session* relayed = session.get();
  std::function<void(RelayEnd)> on_end = [&worker, relayed](RelayEnd end) {
    std::unique_ptr<Session> taken_back(relayed);
    try {
      spawn(worker, go_on(worker, std::move(taken_back), end));
    } catch (const std::bad_alloc&) {
      tell_of_lack(worker);
    }
  };
  session.release()->start_relay(std::move(on_end));
}

}  // namespace

void serve(Worker& worker, Accepted accepted) {
  spawn(worker, arrive(worker, make_session(worker, std::move(accepted))));
}

}  // namespace gatehouse
