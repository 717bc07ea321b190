#include "gateway/observe/audit_queue.h"

#include <algorithm>
#include <new>
#include <utility>

namespace gatehouse {
namespace {

// What a quiet queue keeps of a burst's memory: events of a few hundred bytes each.
constexpr std::size_t kept_capacity = 1024;

// How late an event may be in the file at most, but for the time that its writing takes: soon
// enough for whoever follows the file, and most of what a busy second's wake-ups would cost is
// spared.
constexpr std::chrono::milliseconds gathering_time{10};

// Nor longer than this: a flood within that time would fill a share, and what comes then is lost.
constexpr std::size_t gathered_max = 1024;

std::size_t index(AuditShare share) {
  return static_cast<std::size_t>(share);
}

// Drops events, and their memory unless as many may come again at once: a flood would otherwise
// have it grow anew each time.
void clear(std::vector<QueuedEvent>& events) noexcept {
  const bool is_burst = events.capacity() > kept_capacity;
  const bool is_over = events.size() < events.capacity() / 4;
  events.clear();
  if (is_burst && is_over) std::vector<QueuedEvent>().swap(events);
}

}  // namespace

AuditShare share_of(const AuditEvent& event) noexcept {
  if (std::holds_alternative<Opened>(event) || std::holds_alternative<Closed>(event)) {
    return AuditShare::session;
  }
  if (std::holds_alternative<Denied>(event)) return AuditShare::denial;
  if (std::holds_alternative<Alert>(event)) return AuditShare::alert;
  if (std::holds_alternative<FoldedDenials>(event) ||
      std::holds_alternative<RefusedUnrecorded>(event)) {
    return AuditShare::none;
  }
  return AuditShare::other;
}

bool AuditQueue::take(AuditShare share, std::size_t records) noexcept {
  std::atomic<std::size_t>& taken = taken_[index(share)];
  const std::size_t before = taken.fetch_add(records, std::memory_order_relaxed);
  if (before + records <= capacity_[index(share)].load(std::memory_order_relaxed)) return true;
  taken.fetch_sub(records, std::memory_order_relaxed);
  return false;
}

void AuditQueue::give_back(AuditShare share, std::size_t records) noexcept {
  taken_[index(share)].fetch_sub(records, std::memory_order_relaxed);
}

void AuditQueue::push(std::chrono::system_clock::time_point time, AuditEvent&& event) noexcept {
  const AuditShare share = share_of(event);
  bool is_kept = false;
  try {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      next_.events.emplace_back(time, std::move(event));
      queued_.fetch_add(1, std::memory_order_relaxed);
      wake_for_event();
      is_kept = true;
    }
  } catch (const std::bad_alloc&) {
    is_kept = false;
  }
  if (!is_kept) {
    give_back(share, 1);
    count_lost(1);
  }
}

void AuditQueue::done(const AuditShareCounts& events) noexcept {
  for (const AuditShare share :
       {AuditShare::session, AuditShare::denial, AuditShare::alert, AuditShare::other}) {
    give_back(share, events[index(share)]);
    queued_.fetch_sub(events[index(share)], std::memory_order_relaxed);
  }
}

void AuditQueue::order_reopen() noexcept {
  const std::lock_guard lock(mutex_);
  next_.reopen = true;
  wake_for_order();
}

void AuditQueue::order_settings(AuditSettings settings) {
  const std::lock_guard lock(mutex_);
  next_.settings = std::move(settings);
  wake_for_order();
}

void AuditQueue::order_stop(std::chrono::steady_clock::time_point stop_by) noexcept {
  const std::lock_guard lock(mutex_);
  next_.stop_by = stop_by;
  wake_for_order();
}

bool AuditQueue::has_orders() const noexcept {
  return next_.reopen || next_.settings || next_.stop_by;
}

void AuditQueue::wake_for_order() noexcept {
  if (std::exchange(writer_, Writer::works) != Writer::works) wake_.notify_one();
}

bool AuditQueue::has_gathered() const noexcept {
  return next_.events.size() >= gathered_max;
}

void AuditQueue::wake_for_event() noexcept {
  const bool is_due = writer_ == Writer::sleeps || (writer_ == Writer::gathers && has_gathered());
  if (is_due) wake_for_order();
}

void AuditQueue::wait(std::chrono::milliseconds limit, AuditWork& work) {
  const bool gathers = !work.events.empty();
  clear(work.events);
  std::unique_lock lock(mutex_);
  if (gathers) {
    writer_ = Writer::gathers;
    wake_.wait_for(lock, gathering_time, [this] { return has_orders() || has_gathered(); });
  }
  const auto is_needed = [this] { return !next_.events.empty() || has_orders(); };
  if (!is_needed()) {
    writer_ = Writer::sleeps;
    wake_.wait_for(lock, limit, is_needed);
  }
  writer_ = Writer::works;
  std::swap(work.events, next_.events);
  work.reopen = std::exchange(next_.reopen, false);
  work.settings = std::exchange(next_.settings, std::nullopt);
  work.stop_by = next_.stop_by;
  closed_ = work.stop_by.has_value();
}

}  // namespace gatehouse
