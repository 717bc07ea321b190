// The way from sessions to the audit's writer: a bounded queue of events, and the writer's orders.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "gateway/observe/audit_event.h"
#include "gateway/observe/audit_settings.h"

namespace gatehouse {

// What bounds an event. The shares are apart, so that a flood of denials leaves sessions and alerts
// their room.
enum class AuditShare {
  session,  // by rooms that sessions reserve
  denial,
  alert,
  other,  // snapshots and commands
  none,   // made by the writer itself, whose own tables bound them
};
inline constexpr std::size_t audit_share_count = 5;
using AuditShareCounts = std::array<std::size_t, audit_share_count>;
[[nodiscard]] AuditShare share_of(const AuditEvent& event) noexcept;

struct QueuedEvent {
  std::chrono::system_clock::time_point time;
  AuditEvent event;
};

// What the writer is woken for.
struct AuditWork {
  std::vector<QueuedEvent> events;
  bool reopen = false;
  std::optional<AuditSettings> settings;
  // Set: the last work. Give up on writing at this time.
  std::optional<std::chrono::steady_clock::time_point> stop_by;
};

// Any thread may call anything but wait().
class AuditQueue {
 public:
  void set_session_capacity(std::size_t records) noexcept { capacity_[0] = records; }

  // False: the share is full.
  [[nodiscard]] bool take(AuditShare share, std::size_t records) noexcept;
  void give_back(AuditShare share, std::size_t records) noexcept;
  // REQUIRES: the event's share was taken. An event that comes too late is counted as lost.
  void push(std::chrono::system_clock::time_point time, AuditEvent&& event) noexcept;
  // These events are through: in the file, folded or dropped.
  void done(const AuditShareCounts& events) noexcept;
  void count_lost(std::size_t events) noexcept {
    lost_.fetch_add(events, std::memory_order_relaxed);
  }

  void order_reopen() noexcept;
  void order_settings(AuditSettings settings);
  void order_stop(std::chrono::steady_clock::time_point stop_by) noexcept;

  // For the one writer: waits for events or orders, at most `limit`, and moves them into `work`,
  // whose old events are dropped. Where there were some, it lets others gather first: whoever
  // brings them then wakes nobody, and of many one write is made.
  void wait(std::chrono::milliseconds limit, AuditWork& work);

  [[nodiscard]] std::size_t depth() const noexcept {
    return queued_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t lost() const noexcept {
    return lost_.load(std::memory_order_relaxed);
  }

 private:
  enum class Writer { works, gathers, sleeps };

  // For an order, or for an event: no system call while the writer works, nor for an event that it
  // finds by itself soon enough. REQUIRES: mutex_ held.
  void wake_for_order() noexcept;
  void wake_for_event() noexcept;
  [[nodiscard]] bool has_orders() const noexcept;
  [[nodiscard]] bool has_gathered() const noexcept;

  std::array<std::atomic<std::size_t>, audit_share_count> taken_{};
  std::array<std::atomic<std::size_t>, audit_share_count> capacity_{0, 4096, 256, 256, 0};
  std::atomic<std::size_t> queued_{0};
  std::atomic<std::uint64_t> lost_{0};

  std::mutex mutex_;
  std::condition_variable wake_;
  Writer writer_ = Writer::works;
  bool closed_ = false;
  AuditWork next_;
};

}  // namespace gatehouse
