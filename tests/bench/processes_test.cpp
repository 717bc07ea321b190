// What processes cost is asked of the kernel: here, of this one.
#include "bench/tool/processes.h"

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

namespace gatehouse::bench {

namespace {

// The number of a process that has been.
pid_t ended_process() {
  const pid_t process = ::fork();
  if (process == 0) ::_exit(0);
  ::waitpid(process, nullptr, 0);
  return process;
}

}  // namespace

TEST_CASE("the processor time of a process goes on while it works") {
  const CpuMeter meter({::getpid()});
  const auto first = meter.microseconds();
  REQUIRE(first);
  auto now = first;
  while (now && *now < *first + 1000) now = meter.microseconds();
  CHECK(now.has_value());
}

TEST_CASE("processes are counted together") {
  const auto one = memory_kib({::getpid()});
  REQUIRE(one);
  CHECK(*one > 0);
  CHECK(*memory_kib({::getpid(), ::getpid()}) > 1.5 * *one);
  CHECK(memory_kib({}) == 0);
  CHECK(CpuMeter({}).microseconds() == 0);
}

TEST_CASE("of a process that has ended nothing is known") {
  const pid_t ended = ended_process();
  CHECK_FALSE(CpuMeter({::getpid(), ended}).microseconds());
  CHECK_FALSE(memory_kib({::getpid(), ended}));
}

}  // namespace gatehouse::bench
