#include "bench/tool/processes.h"

#include <ctime>
#include <fstream>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace gatehouse::bench {

CpuMeter::CpuMeter(std::vector<pid_t> processes)
    : processes_(std::move(processes)), start_(read()) {}

std::optional<double> CpuMeter::microseconds() const {
  const auto now = read();
  if (!start_ || !now) return std::nullopt;
  return *now - *start_;
}

// Not /proc/PID/stat, which counts in hundredths of a second.
std::optional<double> CpuMeter::read() const {
  double all = 0;
  for (const pid_t process : processes_) {
    clockid_t clock{};
    timespec time{};
    if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
      return std::nullopt;
    }
    all += static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
  }
  return all;
}

std::optional<double> memory_kib(const std::vector<pid_t>& processes) {
  double all = 0;
  for (const pid_t process : processes) {
    std::ifstream file(fmt::format("/proc/{}/smaps_rollup", process));
    bool found = false;
    for (std::string word; file >> word;) {
      double kib = 0;
      if ((word != "Pss_Anon:" && word != "Pss_Shmem:") || !(file >> kib)) continue;
      found = true;
      all += kib;
    }
    if (!found) return std::nullopt;
  }
  return all;
}

}  // namespace gatehouse::bench
