// A coroutine that a command waits for, with nothing else under way.
#pragma once

#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "gateway/net/asio.h"

namespace gatehouse {

// No value: there was no memory.
template <typename Result>
std::optional<Result> run_alone(Awaitable<Result> work) {
  asio::io_context context(1);
  std::optional<Result> result;
  asio::co_spawn(context, std::move(work), [&](const std::exception_ptr& failure, Result value) {
    if (!failure) result = std::move(value);
  });
  context.run();
  return result;
}

}  // namespace gatehouse
