#include "gateway/observe/audit_log.h"

#include <new>
#include <numeric>
#include <utility>

#include <pthread.h>

#include "gateway/assert.h"

namespace gatehouse {
namespace {

constexpr std::size_t records_per_session = 2;
// Beside the rooms of all sessions: those of connections refused for their number, and of sessions
// that are over and not written yet.
constexpr std::size_t session_slack = 4096;

// How long the writer sleeps at most: folds come due, and a file may be renamed while nothing
// happens.
constexpr std::chrono::seconds idle_wait{1};
constexpr std::chrono::milliseconds retry_wait{200};
// Between attempts while the process waits for them to end.
constexpr std::chrono::milliseconds last_retry_wait{20};

}  // namespace

AuditRoom::AuditRoom(AuditRoom&& other) noexcept
    : queue_(other.queue_), records_(std::exchange(other.records_, 0)) {}

AuditRoom& AuditRoom::operator=(AuditRoom&& other) noexcept {
  if (this != &other) {
    queue_->give_back(AuditShare::session, records_);
    queue_ = other.queue_;
    records_ = std::exchange(other.records_, 0);
  }
  return *this;
}

AuditRoom::~AuditRoom() {
  queue_->give_back(AuditShare::session, records_);
}

AuditLog::AuditLog(AuditSettings settings, Log& log, AuditClock clock)
    : log_(log), clock_(std::move(clock)) {
  apply_limits(settings);
  AuditWork first;
  first.settings = std::move(settings);
  take_in(first);
  write();
  writer_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "audit");
    run();
  });
}

AuditLog::~AuditLog() {
  stop();
}

std::optional<AuditRoom> AuditLog::reserve() noexcept {
  const bool refuses = refuses_when_unwritable_.load(std::memory_order_relaxed);
  if (writable() || !refuses) {
    if (queue_.take(AuditShare::session, records_per_session)) {
      return AuditRoom(queue_, records_per_session);
    }
    if (!refuses) return AuditRoom(queue_, 0);
  }
  refused_unrecorded_.fetch_add(1, std::memory_order_relaxed);
  return std::nullopt;
}

void AuditLog::opened(AuditRoom& room, const SessionRecord& record) noexcept {
  GATEHOUSE_ASSERT(room.records_ != 1);
  if (room.records_ == 0) return queue_.count_lost(1);
  --room.records_;
  try {
    queue_.push(clock_.wall(), AuditEvent(std::in_place_type<Opened>, record));
  } catch (const std::bad_alloc&) {
    queue_.give_back(AuditShare::session, 1);
    queue_.count_lost(1);
  }
}

void AuditLog::closed(AuditRoom& room, SessionRecord&& record) noexcept {
  GATEHOUSE_ASSERT(record.close_reason != CloseReason::denied);
  if (room.records_ == 0) return queue_.count_lost(1);
  queue_.give_back(AuditShare::session, room.records_ - 1);
  room.records_ = 0;
  queue_.push(clock_.wall(), AuditEvent(std::in_place_type<Closed>, std::move(record)));
}

void AuditLog::denied(SessionRecord&& record) noexcept {
  GATEHOUSE_ASSERT(record.reason.has_value() || record.close_reason != CloseReason::denied);
  if (!queue_.take(AuditShare::denial, 1)) return queue_.count_lost(1);
  queue_.push(clock_.wall(), AuditEvent(std::in_place_type<Denied>, std::move(record)));
}

void AuditLog::alert(const SessionRecord& record, std::uint32_t count) noexcept {
  if (!queue_.take(AuditShare::alert, 1)) return queue_.count_lost(1);
  try {
    queue_.push(clock_.wall(), AuditEvent(std::in_place_type<Alert>, record, count));
  } catch (const std::bad_alloc&) {
    queue_.give_back(AuditShare::alert, 1);
    queue_.count_lost(1);
  }
}

void AuditLog::record(SnapshotLoaded event) noexcept {
  push_other(event);
}
void AuditLog::record(SnapshotRejected event) noexcept {
  push_other(std::move(event));
}
void AuditLog::record(AdminCommand event) noexcept {
  push_other(std::move(event));
}

void AuditLog::push_other(AuditEvent&& event) noexcept {
  if (!queue_.take(AuditShare::other, 1)) return queue_.count_lost(1);
  queue_.push(clock_.wall(), std::move(event));
}

void AuditLog::reopen() noexcept {
  queue_.order_reopen();
}

void AuditLog::configure(AuditSettings settings) {
  apply_limits(settings);
  queue_.order_settings(std::move(settings));
}

void AuditLog::apply_limits(const AuditSettings& settings) noexcept {
  queue_.set_session_capacity(records_per_session * settings.sessions + session_slack);
  refuses_when_unwritable_ = settings.audit.when_unwritable == config::WhenUnwritable::refuse;
}

void AuditLog::stop(std::chrono::milliseconds limit) noexcept {
  if (!writer_.joinable()) return;
  queue_.order_stop(std::chrono::steady_clock::now() + limit);
  writer_.join();
}

void AuditLog::run() noexcept {
  AuditWork work;
  while (!work.stop_by) {
    queue_.wait(writable() ? idle_wait : retry_wait, work);
    const bool is_told_to = work.reopen || work.settings;
    take_in(work);
    if (writable() || is_told_to || std::chrono::steady_clock::now() >= retry_at_) write();
  }
  finish(*work.stop_by);
}

void AuditLog::take_in(AuditWork& work) {
  const AuditWriter::Now time = now();
  for (QueuedEvent& event : work.events) {
    if (!audit_.add(std::move(event), time)) queue_.count_lost(1);
  }
  if (work.settings) {
    const auto& path = work.settings->audit.file;
    path_text_ = path ? path->string() : std::string();
    audit_.set_target(path, std::move(work.settings->gateway));
  }
  if (work.reopen) audit_.reopen();
  queue_.done(audit_.take_done());
}

void AuditLog::write() {
  std::error_code error = audit_.write(now());
  const std::uint64_t refused =
      error ? 0 : refused_unrecorded_.exchange(0, std::memory_order_relaxed);
  if (refused > 0) {
    const AuditWriter::Now time = now();
    if (!audit_.add({time.wall, RefusedUnrecorded{refused}}, time)) queue_.count_lost(refused);
    error = audit_.write(time);
  }
  after_write(error);
}

void AuditLog::after_write(std::error_code error) {
  queue_.done(audit_.take_done());
  retry_at_ = std::chrono::steady_clock::now() + retry_wait;
  const bool was_writable = writable_.exchange(!error, std::memory_order_relaxed);
  if (error && was_writable) {
    log_.error("the audit cannot be written: {}: {}; {}", path_text_, error.message(),
               refuses_when_unwritable_ ? "new sessions are refused until it can"
                                        : "events beyond the queue are lost until it can");
  }
  if (!error && !was_writable) {
    log_.warning("the audit is written again: {}; {} events lost since the start", path_text_,
                 lost());
  }
}

// Sessions are over by now. What cannot be written in time is lost, and said to be.
void AuditLog::finish(std::chrono::steady_clock::time_point stop_by) {
  std::error_code error = audit_.write_all(now());
  while (error && std::chrono::steady_clock::now() < stop_by) {
    std::this_thread::sleep_for(last_retry_wait);
    error = audit_.write_all(now());
  }
  after_write(error);
  const AuditShareCounts remaining = audit_.remaining();
  queue_.done(remaining);
  const std::size_t events = std::accumulate(remaining.begin(), remaining.end(), std::size_t{0});
  if (events == 0) return;
  queue_.count_lost(events);
  log_.error("the audit ends with {} events that could not be written: {}", events, path_text_);
}

AuditWriter::Now AuditLog::now() const {
  return {clock_.wall(), clock_.steady()};
}

}  // namespace gatehouse
