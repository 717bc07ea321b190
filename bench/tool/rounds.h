// What every measurement has in common: targets that take turns, clients that work at once, and
// the account of what it costs.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/tool/client.h"
#include "bench/tool/processes.h"
#include "bench/tool/report.h"

namespace gatehouse::bench {

// What is under way, for a person to see.
using Progress = std::function<void(const std::string& what)>;

struct Subjects {
  std::vector<Target> targets;
  Account account;
  Progress progress;

  // Whoever logs in at this target.
  [[nodiscard]] Account account_of(const Target& target) const;
  [[nodiscard]] bool have_processes() const noexcept;
};

// One turn of one target, which adds what it finds. False: it failed, and `why` says how.
using Turn = std::function<bool(const Target& target, Measured& measured, std::string& why)>;
// Targets are taken in turn, round by round, each round beginning with another. `nothing_yet`: what
// is measured of each. No value: a turn failed, and `why` says at which target and how.
[[nodiscard]] std::optional<std::vector<Measured>> take_turns(const Subjects& subjects,
                                                              std::size_t rounds,
                                                              const Measured& nothing_yet,
                                                              const Turn& turn, std::string& why);

// In a thread for each number below `count`; waits for them all. False: one failed, and `why` is of
// the first that did.
using Work = std::function<bool(std::size_t number, std::string& why)>;
[[nodiscard]] bool at_once(std::size_t count, const Work& work, std::string& why);
// What each of them has to do, as evenly as it can be.
[[nodiscard]] constexpr std::size_t share(std::size_t all, std::size_t count, std::size_t number) {
  return all / count + (number < all % count ? 1 : 0);
}

// From here on, what a target's processes and time do for so many connections, requests or bytes.
class Meter {
 public:
  explicit Meter(const Target& target) : target_(target), cpu_(target.processes) {}

  [[nodiscard]] double seconds() const noexcept;
  // Adds a value unless no process was named. False: one has ended.
  [[nodiscard]] bool add_cpu(Figure& figure, double per, std::string& why) const;

 private:
  const Target& target_;
  CpuMeter cpu_;
  Clock::time_point start_ = Clock::now();
};

}  // namespace gatehouse::bench
