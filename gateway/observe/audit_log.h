// The audit: a bounded queue and one thread that writes it to a file. Sessions only move a struct
// into the queue; nothing here makes them wait for a disk. What cannot be written refuses new
// sessions or, by choice, is counted as lost; nothing disappears uncounted.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "config/configuration.h"
#include "gateway/observe/audit_event.h"
#include "gateway/observe/audit_file.h"
#include "gateway/observe/denial_fold.h"
#include "gateway/observe/log.h"

namespace gatehouse {

struct AuditSettings {
  config::Audit audit;
  std::string gateway;             // `name` of gateway.yaml; may be empty
  std::uint32_t sessions = 10000;  // limits.sessions: all of them have room at once

  [[nodiscard]] static AuditSettings of(const config::Configuration& configuration);
};

// Called on any thread.
struct AuditClock {
  std::function<std::chrono::system_clock::time_point()> wall = std::chrono::system_clock::now;
  std::function<std::chrono::steady_clock::time_point()> steady = std::chrono::steady_clock::now;
};

class AuditLog;

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
  AuditRoom(AuditLog& log, std::uint32_t records) : log_(&log), records_(records) {}
  AuditLog* log_;
  std::uint32_t records_;
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
  // Needs no room: denials have a share of the queue of their own. Repeats are folded. REQUIRES:
  // record.reason is set.
  void denied(SessionRecord&& record) noexcept;
  void record(SnapshotLoaded event) noexcept;
  void record(SnapshotRejected event) noexcept;
  void record(AdminCommand event) noexcept;

  // Opens the file anew, for log rotation. Not async-signal-safe.
  void reopen() noexcept;
  // In force for what is written from now on.
  void configure(AuditSettings settings);

  // Whether reserve() may succeed as far as the file is concerned; true without a file.
  [[nodiscard]] bool writable() const noexcept { return writable_.load(std::memory_order_relaxed); }
  // Events that are not in the file yet.
  [[nodiscard]] std::size_t depth() const noexcept;
  [[nodiscard]] std::uint64_t lost() const noexcept {
    return lost_.load(std::memory_order_relaxed);
  }

  // Writes what is pending, open folds included, and ends the thread. What cannot be written
  // within `limit` is lost. Events after it are lost.
  void stop(std::chrono::milliseconds limit = std::chrono::seconds(5)) noexcept;

 private:
  friend class AuditRoom;
  // What bounds an event: sessions' rooms, and fixed shares for the others.
  enum class Share { session, denial, other };
  static constexpr std::size_t share_count = 3;
  struct Queued {
    std::chrono::system_clock::time_point time;
    AuditEvent event;
  };
  using ShareCounts = std::array<std::size_t, share_count>;

  static Share share_of(const AuditEvent& event) noexcept;
  // False: the share is full, and the event counted as lost.
  bool take(Share share) noexcept;
  void release(Share share, std::size_t events) noexcept;
  // REQUIRES: the event's share was taken.
  void push(AuditEvent&& event) noexcept;

  // The writer's thread from here on.
  void run() noexcept;
  [[nodiscard]] bool wait_for_events();
  void take_in(std::vector<Queued>& events);
  void add_own_events();
  void write_pending();
  void fill_batch();
  void apply(AuditSettings settings);
  void note_state(std::error_code error);
  void finish();

  Log& log_;
  AuditClock clock_;

  // By Share: rooms reserved and events queued, until they are in the file.
  std::array<std::atomic<std::size_t>, share_count> taken_{};
  std::atomic<std::size_t> session_capacity_{0};
  std::atomic<bool> refuses_when_unwritable_{true};
  std::atomic<bool> writable_{true};
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<std::uint64_t> refused_unrecorded_{0};

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool writer_sleeps_ = false;
  bool reopen_ = false;
  bool stop_ = false;
  std::chrono::steady_clock::time_point stop_by_;
  std::optional<AuditSettings> new_settings_;
  std::vector<Queued> incoming_;

  // The writer's own.
  std::optional<std::filesystem::path> path_;
  std::string gateway_;
  AuditFile file_;
  DenialFold fold_;
  std::deque<Queued> pending_;
  ShareCounts batch_{};  // events whose lines are in file_, by share
  std::chrono::steady_clock::time_point retry_at_;

  std::thread writer_;
};

}  // namespace gatehouse
