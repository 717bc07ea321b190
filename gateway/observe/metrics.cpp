#include "gateway/observe/metrics.h"

#include <algorithm>

#include "gateway/assert.h"

namespace gatehouse {

void Histogram::observe(std::chrono::nanoseconds duration) noexcept {
  const double seconds = std::chrono::duration<double>(duration).count();
  // A bucket holds what is less than or equal to its bound.
  const auto bound = std::lower_bound(bounds_seconds.begin(), bounds_seconds.end(), seconds);
  const auto bucket = static_cast<std::size_t>(bound - bounds_seconds.begin());
  buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
  const auto nanoseconds = std::max<std::chrono::nanoseconds::rep>(duration.count(), 0);
  sum_nanoseconds_.fetch_add(static_cast<std::uint64_t>(nanoseconds), std::memory_order_relaxed);
}

Histogram::Reading Histogram::read() const noexcept {
  Reading reading;
  std::uint64_t total = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    total += buckets_[bucket].load(std::memory_order_relaxed);
    reading.cumulative[bucket] = total;
  }
  const std::chrono::duration<double, std::nano> sum(
      static_cast<double>(sum_nanoseconds_.load(std::memory_order_relaxed)));
  reading.sum_seconds = std::chrono::duration<double>(sum).count();
  return reading;
}

Counter& Metrics::sessions_closed(CloseReason reason) noexcept {
  GATEHOUSE_ASSERT(reason != CloseReason::denied);
  return sessions_closed_[static_cast<std::size_t>(reason)];
}

Counter& Metrics::bytes(Direction direction) noexcept {
  return bytes_[static_cast<std::size_t>(direction)];
}

ServerMetrics& Metrics::server(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = servers_.find(name);
  return found != servers_.end() ? found->second : servers_[std::string(name)];
}

}  // namespace gatehouse
