#include "bench/tool/rounds.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include <fmt/format.h>

namespace gatehouse::bench {

Account Subjects::account_of(const Target& target) const {
  return {target.user.empty() ? account.user : target.user, account.password};
}

bool Subjects::have_processes() const noexcept {
  return std::ranges::any_of(targets,
                             [](const Target& target) { return !target.processes.empty(); });
}

std::optional<std::vector<Measured>> take_turns(const Subjects& subjects, std::size_t rounds,
                                                const Measured& nothing_yet, const Turn& turn,
                                                std::string& why) {
  const std::vector<Target>& targets = subjects.targets;
  std::vector<Measured> results(targets.size(), nothing_yet);
  for (std::size_t number = 0; number < rounds; ++number) {
    for (std::size_t count = 0; count < targets.size(); ++count) {
      const std::size_t at = (number + count) % targets.size();
      const std::string& name = results[at].target = targets[at].name;
      subjects.progress(fmt::format("round {} of {}: {}", number + 1, rounds, name));
      if (!turn(targets[at], results[at], why)) {
        why = fmt::format("{}: {}", name, why);
        return std::nullopt;
      }
    }
  }
  return results;
}

bool at_once(std::size_t count, const Work& work, std::string& why) {
  std::mutex mutex;
  bool failed = false;
  {
    std::vector<std::jthread> threads;
    threads.reserve(count);
    for (std::size_t number = 0; number < count; ++number) {
      threads.emplace_back([&, number] {
        std::string own;
        if (work(number, own)) return;
        const std::lock_guard lock(mutex);
        if (!failed) why = own;
        failed = true;
      });
    }
  }
  return !failed;
}

double Meter::seconds() const noexcept {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

bool Meter::add_cpu(Figure& figure, double per, std::string& why) const {
  if (target_.processes.empty()) return true;
  const auto spent = cpu_.microseconds();
  if (!spent) {
    why = "a process of it has ended";
    return false;
  }
  figure.values.push_back(*spent / per);
  return true;
}

}  // namespace gatehouse::bench
