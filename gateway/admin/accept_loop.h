// Accepts connections for as long as the acceptor is open, a bounded number at a time.
#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <new>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>

#include "gateway/limits.h"
#include "gateway/net/asio.h"

namespace gatehouse {

// The next connection, served unless there are too many.
template <typename Acceptor, typename Serve>
Awaitable<boost::system::error_code> accept_one(Acceptor& acceptor, Serve& serve,
                                                std::shared_ptr<int> open) {
  auto [error, connection] = co_await acceptor.async_accept(asio::as_tuple(use_awaitable));
  if (!error && *open < limits::admin_connections) {
    ++*open;
    // Given back with the handler, whether that is ever called or there is no memory to begin.
    const std::shared_ptr<void> place(nullptr, [open](void*) { --*open; });
    asio::co_spawn(acceptor.get_executor(), serve(std::move(connection)),
                   [place](const std::exception_ptr&) {});
  }
  co_return error;
}

// `serve` makes the coroutine that serves one connection. The acceptor must outlive this.
template <typename Acceptor, typename Serve>
Awaitable<void> accept_loop(Acceptor& acceptor, Serve serve) {
  const auto open = std::make_shared<int>(0);
  bool is_starved = false;
  for (;;) {
    try {
      if (std::exchange(is_starved, false)) {
        Timer pause(acceptor.get_executor(), limits::accept_back_off);
        co_await pause.async_wait(asio::as_tuple(use_awaitable));
      }
      const auto error = co_await accept_one(acceptor, serve, open);
      if (error == asio::error::operation_aborted) co_return;
      is_starved = static_cast<bool>(error);
    } catch (const std::bad_alloc&) {
      is_starved = true;  // that connection is closed; whoever comes next is accepted again
    }
  }
}

}  // namespace gatehouse
