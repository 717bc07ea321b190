#include "tests/fuzz/own_time.h"

#include <cerrno>
#include <ctime>

#include <sys/syscall.h>
#include <unistd.h>

namespace {

struct OwnTime {
  bool is_stopped = false;
  std::chrono::nanoseconds now{};
};
thread_local OwnTime own_time;

}  // namespace

namespace gatehouse::fuzz {

void stop_the_clock() {
  own_time.now = std::chrono::steady_clock::now().time_since_epoch();
  own_time.is_stopped = true;
}

void pass(std::chrono::milliseconds time) {
  own_time.now += time;
}

}  // namespace gatehouse::fuzz

// What the standard library asks. NOLINTNEXTLINE(readability-identifier-naming): it is glibc's.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (clock != CLOCK_MONOTONIC || !own_time.is_stopped) {
    return static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  }
  const auto seconds = std::chrono::floor<std::chrono::seconds>(own_time.now);
  time->tv_sec = seconds.count();
  time->tv_nsec = (own_time.now - seconds).count();
  return 0;
}

// The kernel's timers go by the kernel's clock. Without them Asio looks at its timers itself, in
// each turn of its loop. NOLINTNEXTLINE(readability-identifier-naming): it is glibc's.
extern "C" int timerfd_create(clockid_t /*clock*/, int /*flags*/) noexcept {
  errno = ENOSYS;
  return -1;
}
