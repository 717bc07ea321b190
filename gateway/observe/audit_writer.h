// The audit writer's work without its thread: folds denials, turns events into lines and keeps them
// until the file has them. It is told the time.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "gateway/observe/audit_file.h"
#include "gateway/observe/audit_queue.h"
#include "gateway/observe/denial_fold.h"

namespace gatehouse {

class AuditWriter {
 public:
  struct Now {
    std::chrono::system_clock::time_point wall;  // for `time` of folded denials
    std::chrono::steady_clock::time_point steady;
  };

  // Without a path, events are dropped. Takes effect with the next write().
  void set_target(std::optional<std::filesystem::path> path, std::string gateway);
  void reopen() noexcept { file_.reopen(); }

  // While the file cannot be written, denials are only counted: they cost no memory then. False: no
  // memory for the event.
  [[nodiscard]] bool add(QueuedEvent&& event, const Now& now) noexcept;

  // Writes all events and the folds that are due. On an error they stay here.
  [[nodiscard]] std::error_code write(const Now& now) noexcept;
  // The last write(): all folds, due or not.
  [[nodiscard]] std::error_code write_all(const Now& now) noexcept;

  // Events that are through since the last call, and those still here.
  [[nodiscard]] AuditShareCounts take_done() noexcept;
  [[nodiscard]] AuditShareCounts remaining() const noexcept;

 private:
  void drop_all() noexcept;
  void add_folds(std::vector<FoldedDenials> folds, const Now& now);
  [[nodiscard]] std::error_code write_pending(const Now& now);

  std::optional<std::filesystem::path> path_;
  std::string gateway_;
  AuditFile file_;
  DenialFold fold_;
  bool writable_ = true;
  std::deque<QueuedEvent> pending_;
  std::string line_;          // keeps its memory from one event to the next
  AuditShareCounts batch_{};  // events whose lines are in file_
  AuditShareCounts done_{};
};

}  // namespace gatehouse
