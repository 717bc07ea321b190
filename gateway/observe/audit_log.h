// The audit: a bounded queue and one thread that writes it to a file. Sessions only move a struct
// into the queue; nothing here makes them wait for a disk. What cannot be written refuses new
// sessions or, by choice, is counted as lost; nothing disappears uncounted.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include "gateway/observe/audit_event.h"
#include "gateway/observe/audit_queue.h"
#include "gateway/observe/audit_settings.h"
#include "gateway/observe/audit_writer.h"
#include "gateway/observe/log.h"

namespace gatehouse {

// Called on any thread.
struct AuditClock {
  std::function<std::chrono::system_clock::time_point()> wall = std::chrono::system_clock::now;
  std::function<std::chrono::steady_clock::time_point()> steady = std::chrono::steady_clock::now;
};

// Room in the queue for a session's two records, `opened` and `closed`. What is not used is given
// back. Must not outlive the AuditLog.
class AuditRoom {
 public:
  AuditRoom(AuditRoom&& other) noexcept;
  AuditRoom& operator=(AuditRoom&& other) noexcept;
  AuditRoom(const AuditRoom&) = delete;
  AuditRoom& operator=(const AuditRoom&) = delete;
  ~AuditRoom();

 private:
  friend class AuditLog;
  AuditRoom(AuditQueue& queue, std::size_t records) : queue_(&queue), records_(records) {}
  AuditQueue* queue_;
  std::size_t records_;  // 0 also where events are counted as lost by choice
};

// Every function may be called on any thread. Those for events never throw: they are called from
// destructors; an event there is no memory for is counted as lost.
class AuditLog {
 public:
  // Opens the file before it returns, so that writable() is known before the first accept. A file
  // that cannot be opened is logged and retried, not an error here. `log` must outlive this.
  AuditLog(AuditSettings settings, Log& log, AuditClock clock = {});
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;
  ~AuditLog();

  // Taken at accept. Unset: the caller closes the session with `audit_unwritable` and records
  // nothing; it is counted here, and one `closed` tells of all such sessions afterwards.
  [[nodiscard]] std::optional<AuditRoom> reserve() noexcept;

  // At most once a room, before closed().
  void opened(AuditRoom& room, const SessionRecord& record) noexcept;
  // Once a room; gives back what is left of it. REQUIRES: close_reason is not `denied`.
  void closed(AuditRoom& room, SessionRecord&& record) noexcept;
  // Needs no room: denials have a share of the queue of their own. Repeats are folded. Also
  // for connections that end before it is known whose they are, which anybody may cause too.
  // REQUIRES: record.reason is set if the close_reason is `denied`.
  void denied(SessionRecord&& record) noexcept;
  // Needs no room either: alerts have a share of their own too. `count` refused logins made it one.
  void alert(const SessionRecord& record, std::uint32_t count) noexcept;
  void record(SnapshotLoaded event) noexcept;
  void record(SnapshotRejected event) noexcept;
  void record(AdminCommand event) noexcept;

  // Opens the file anew, for log rotation. Not async-signal-safe.
  void reopen() noexcept;
  // In force for what is written from now on.
  void configure(AuditSettings settings);

  // Whether reserve() may succeed as far as the file is concerned; true without a file.
  [[nodiscard]] bool writable() const noexcept { return writable_.load(std::memory_order_relaxed); }
  // While this holds, reserve() fails: what cannot be recorded is not let in.
  [[nodiscard]] bool refuses_sessions() const noexcept {
    return !writable() && refuses_when_unwritable_.load(std::memory_order_relaxed);
  }
  // Events that are not in the file yet.
  [[nodiscard]] std::size_t depth() const noexcept { return queue_.depth(); }
  [[nodiscard]] std::uint64_t lost() const noexcept { return queue_.lost(); }

  // Writes what is pending, open folds included, and ends the thread. What cannot be written
  // within `limit` is lost. Events after it are lost.
  void stop(std::chrono::milliseconds limit = std::chrono::seconds(5)) noexcept;

 private:
  // For what happens outside a session.
  void push_other(AuditEvent&& event) noexcept;
  void apply_limits(const AuditSettings& settings) noexcept;

  // The writer's thread from here on.
  void run() noexcept;
  void take_in(AuditWork& work);
  void write();
  void finish(std::chrono::steady_clock::time_point stop_by);
  void after_write(std::error_code error);
  [[nodiscard]] AuditWriter::Now now() const;

  Log& log_;
  AuditClock clock_;
  AuditQueue queue_;
  std::atomic<bool> refuses_when_unwritable_{true};
  std::atomic<bool> writable_{true};
  std::atomic<std::uint64_t> refused_unrecorded_{0};

  // The writer's own.
  AuditWriter audit_;
  std::string path_text_;  // for the log
  std::chrono::steady_clock::time_point retry_at_;

  std::thread writer_;
};

}  // namespace gatehouse
