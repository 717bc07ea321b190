// Every series the gateway exports. Labels are closed sets: reasons are enums, servers, backends
// and listeners come from the configuration. No address, user or name from the outside is a label.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/close_reason.h"
#include "rules/policy.h"

namespace gatehouse {

class Counter {
 public:
  void add(std::uint64_t amount = 1) noexcept {
    value_.fetch_add(amount, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void add(std::int64_t amount = 1) noexcept {
    value_.fetch_add(amount, std::memory_order_relaxed);
  }
  void subtract(std::int64_t amount = 1) noexcept {
    value_.fetch_sub(amount, std::memory_order_relaxed);
  }
  [[nodiscard]] std::int64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::int64_t> value_{0};
};

// A latency histogram. Its bounds fit a handshake: half a millisecond to the default deadline.
class Histogram {
 public:
  static constexpr std::array<double, 14> bounds_seconds{
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

  void observe(std::chrono::nanoseconds duration) noexcept;

  // Taken while others observe: counts of one reading add up, the sum may be a moment ahead.
  struct Reading {
    std::array<std::uint64_t, bounds_seconds.size() + 1> cumulative{};  // the last is +Inf
    double sum_seconds = 0;
  };
  [[nodiscard]] Reading read() const noexcept;

 private:
  std::array<std::atomic<std::uint64_t>, bounds_seconds.size() + 1> buckets_{};
  std::atomic<std::uint64_t> sum_nanoseconds_{0};
};

using Denials = std::array<Counter, rules::reason_count>;  // by rules::Reason

// Counters of one server, over all snapshots that know it.
struct ServerMetrics {
  Denials denied;
  Counter backend_dials;
  Counter backend_dial_failures;
  Counter failed_logins;  // refused by a backend
  Counter failed_login_alerts;
  Gauge sessions;  // established, for `max_sessions` and `status`; not a series
};

enum class Direction { in, out };  // in: from the client
inline constexpr std::size_t direction_count = 2;

struct MetricsSample;

class Metrics {
 public:
  Metrics() = default;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  Gauge sessions_open;  // established
  Gauge handshakes;     // accepted and allowed, not established yet
  Counter sessions_opened;
  Counter health_checks;  // load balancers' connections about no client
  Denials denied_by_all;  // before the server was known: none of a listener's would have them
  // REQUIRES: `reason` is not `denied`.
  Counter& sessions_closed(CloseReason reason) noexcept;
  Counter& bytes(Direction direction) noexcept;
  Histogram tls_handshake;  // the client's, from its first byte to the last of ours
  Histogram establishment;  // from accept until the backend has accepted the login

  // Get or create; asked while a snapshot is built. The object lives as long as this.
  ServerMetrics& server(std::string_view name);

 private:
  friend std::string to_openmetrics(const Metrics& metrics, const MetricsSample& sample);

  std::array<Counter, close_reason_count> sessions_closed_;
  std::array<Counter, direction_count> bytes_;
  mutable std::mutex mutex_;  // guards the map; its values are atomics
  std::map<std::string, ServerMetrics, std::less<>> servers_;
};

// What others own and a scrape asks for.
struct MetricsSample {
  std::uint64_t snapshot_generation = 0;
  std::chrono::nanoseconds snapshot_age{};
  bool snapshot_last_load_failed = false;
  bool audit_writable = true;
  std::size_t audit_queue = 0;
  std::uint64_t audit_events_lost = 0;
  std::size_t blocked_sources = 0;
  // By listener: when the first of its certificates expires.
  std::vector<std::pair<std::string, std::chrono::sys_seconds>> certificate_expiry;
  // Of the backends that were tried, by server and by what the configuration calls it.
  std::map<std::pair<std::string, std::string>, bool> backend_up;
  std::string version;
};

inline constexpr std::string_view openmetrics_content_type =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";
[[nodiscard]] std::string to_openmetrics(const Metrics& metrics, const MetricsSample& sample);

}  // namespace gatehouse
