#include "gateway/observe/log.h"

#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "tests/gateway/observe/scratch.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::system_clock::time_point time_of_line(1795309323s);

TEST_CASE("a line has a time, a level and a message", "[log]") {
  CHECK(format_log_line(LogShape::text, config::LogLevel::info, time_of_line, "listening") ==
        "2026-11-22T01:02:03Z info listening");
  CHECK(format_log_line(LogShape::json, config::LogLevel::error, time_of_line, "a \"b\"\n") ==
        R"({"time":"2026-11-22T01:02:03Z","level":"error","message":"a \"b\"\n"})");
  CHECK(format_log_line(LogShape::journal, config::LogLevel::warning, time_of_line, "careful") ==
        "<4>careful");
}

TEST_CASE("a message is one line of printable text", "[log]") {
  CHECK(format_log_line(LogShape::text, config::LogLevel::info, time_of_line,
                        "a\nb\x1b[31m\x7F\xC2\x9B\xFF") ==
        "2026-11-22T01:02:03Z info a\\x0ab\\x1b[31m\\x7f\\u009b\xEF\xBF\xBD");
  CHECK(format_log_line(LogShape::json, config::LogLevel::info, time_of_line,
                        "a\nb\x1b[31m\x7F\xC2\x9B\xE2\x80\xA8\xFF") ==
        R"({"time":"2026-11-22T01:02:03Z","level":"info",)"
        R"("message":"a\nb\u001b[31m\u007f\u009b\u2028)"
        "\xEF\xBF\xBD\"}");
}

// A log on a file.
class Bench {
 public:
  explicit Bench(config::Log settings) {
    descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    REQUIRE(descriptor >= 0);
    log.emplace(descriptor, settings);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench() { ::close(descriptor); }

  ScratchFolder folder;
  std::filesystem::path path = folder / "log";
  int descriptor = -1;
  std::optional<Log> log;
};

TEST_CASE("levels below the configured one are left out", "[log]") {
  Bench bench({.level = config::LogLevel::warning, .format = config::LogFormat::text});
  bench.log->debug("one {}", 1);
  bench.log->info("two");
  bench.log->warning("three {}", "x");
  bench.log->configure({.level = config::LogLevel::debug, .format = config::LogFormat::json});
  bench.log->debug("four");
  const auto lines = lines_of(bench.path);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].ends_with(" warning three x"));
  CHECK(lines[1].ends_with(R"("level":"debug","message":"four"})"));
}

TEST_CASE("lines of several threads do not mix", "[log]") {
  Bench bench(config::Log{});
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&bench, thread] {
      for (int line = 0; line < 200; ++line) bench.log->info("{0}{0}{0}{0}{0}", thread);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto lines = lines_of(bench.path);
  REQUIRE(lines.size() == 800);
  for (const std::string& line : lines) {
    REQUIRE(line.size() == std::string_view("2026-11-22T01:02:03Z info 00000").size());
    REQUIRE(line.substr(line.size() - 5) == std::string(5, line.back()));
  }
}

TEST_CASE("a log that cannot be written disturbs nobody", "[log]") {
  Log log(-1, config::Log{});
  log.error("nobody reads {}", "this");
}

}  // namespace
}  // namespace gatehouse
