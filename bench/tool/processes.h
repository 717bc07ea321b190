// What a target's processes cost, by the kernel's own account of them.
#pragma once

#include <optional>
#include <vector>

#include <sys/types.h>

namespace gatehouse::bench {

// Processor time from here on.
class CpuMeter {
 public:
  explicit CpuMeter(std::vector<pid_t> processes);

  // Of all of them, threads that have ended included. No value: one has ended itself.
  [[nodiscard]] std::optional<double> microseconds() const;

 private:
  [[nodiscard]] std::optional<double> read() const;

  std::vector<pid_t> processes_;
  std::optional<double> start_;
};

// Of all of them: what is theirs alone, and their share of what they have in common with others
// (PSS); without pages of files, whose share changes with whoever else runs the same program. No
// value: one has ended, or is not ours to look at.
[[nodiscard]] std::optional<double> memory_kib(const std::vector<pid_t>& processes);

}  // namespace gatehouse::bench
