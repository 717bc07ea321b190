// Calls something once when its time has come, unless it is gone by then.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>

#include "gateway/net/asio.h"

namespace gatehouse {

// A deadline covers a stage, not a read: a peer that sends a byte at a time gains nothing. Used on
// one worker; after its destruction `on_time` is never called, also if the timer had fired already.
class Deadline {
 public:
  Deadline(const Executor& executor, std::chrono::milliseconds limit, std::function<void()> on_time)
      : timer_(executor, limit),
        on_time_(std::make_shared<std::function<void()>>(std::move(on_time))) {
    timer_.async_wait([weak = std::weak_ptr(on_time_)](boost::system::error_code error) {
      const auto on_time_now = weak.lock();
      if (!error && on_time_now) (*on_time_now)();
    });
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() = default;

 private:
  Timer timer_;
  std::shared_ptr<std::function<void()>> on_time_;
};

}  // namespace gatehouse
