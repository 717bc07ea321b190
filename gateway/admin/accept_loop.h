// Accepts connections for as long as the acceptor is open, a bounded number at a time.
#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>

#include "gateway/limits.h"
#include "gateway/net/asio.h"

namespace gatehouse {

// `serve` makes the coroutine that serves one connection. The acceptor must outlive this.
template <typename Acceptor, typename Serve>
Awaitable<void> accept_loop(Acceptor& acceptor, Serve serve) {
  const auto open = std::make_shared<int>(0);
  for (;;) {
    auto [error, connection] = co_await acceptor.async_accept(asio::as_tuple(use_awaitable));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      Timer pause(acceptor.get_executor(), limits::accept_back_off);
      co_await pause.async_wait(asio::as_tuple(use_awaitable));
    } else if (*open < limits::admin_connections) {
      ++*open;
      asio::co_spawn(acceptor.get_executor(), serve(std::move(connection)),
                     [open](const std::exception_ptr&) { --*open; });
    }
  }
}

}  // namespace gatehouse
