// Processor time of one thread: what else the machine does, does not count.
#pragma once

#include <ctime>

namespace gatehouse {

// Adds up what this thread spends on what it is given to do.
class Stopwatch {
 public:
  template <typename Work>
  void run(const Work& work) {
    const double start = now();
    work();
    microseconds_ += now() - start;
  }
  [[nodiscard]] double microseconds() const noexcept { return microseconds_; }

 private:
  static double now() {
    timespec time{};
    static_cast<void>(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time));
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
  }

  double microseconds_ = 0;
};

}  // namespace gatehouse
