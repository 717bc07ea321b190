#include "gateway/observe/audit_log.h"

#include <map>
#include <thread>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "tests/gateway/observe/records.h"
#include "tests/gateway/observe/scratch.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

// A condition that another thread makes true. The deadline only ends a test that failed.
template <typename Condition>
bool comes_true(const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

// Audit settings and a process log, each on a file of a scratch folder.
class Bench {
 public:
  Bench() {
    descriptor = ::open((folder / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    REQUIRE(descriptor >= 0);
    log.emplace(descriptor, config::Log{});
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench() { ::close(descriptor); }

  [[nodiscard]] std::filesystem::path path() const { return folder / "audit.jsonl"; }
  [[nodiscard]] AuditSettings settings(
      std::optional<std::filesystem::path> file,
      config::WhenUnwritable when_unwritable = config::WhenUnwritable::refuse) const {
    return {.audit = {.file = std::move(file), .when_unwritable = when_unwritable},
            .gateway = "gw-1",
            .sessions = 100};
  }
  [[nodiscard]] std::size_t log_lines_with(std::string_view text) const {
    std::size_t count = 0;
    for (const std::string& line : lines_of(folder / "log")) {
      if (line.find(text) != std::string::npos) ++count;
    }
    return count;
  }
  [[nodiscard]] std::map<std::string, int> events() const {
    std::map<std::string, int> events;
    for (const std::string& line : lines_of(path())) {
      ++events[std::string(boost::json::parse(line).at("event").as_string())];
    }
    return events;
  }

  ScratchFolder folder;
  int descriptor = -1;
  std::optional<Log> log;
};

// A session from its room to its end.
void run_session(AuditLog& audit, std::uint64_t session) {
  auto room = audit.reserve();
  REQUIRE(room);
  audit.opened(*room, allowed_record(session));
  audit.closed(*room, allowed_record(session));
}

TEST_CASE("what is recorded is in the file when the audit has stopped", "[audit-log]") {
  Bench bench;
  {
    AuditLog audit(bench.settings(bench.path()), *bench.log);
    CHECK(audit.writable());
    run_session(audit, 1);
    audit.denied(denied_record());
    audit.alert(allowed_record(), 21);
    audit.record(SnapshotLoaded{.generation = 1, .files = 2, .duration = 1ms});
    audit.record(SnapshotRejected{});
    audit.record(AdminCommand{});
    CHECK(comes_true([&] { return audit.depth() == 0; }));
  }
  CHECK(bench.events() == std::map<std::string, int>{{"opened", 1},
                                                     {"closed", 1},
                                                     {"denied", 1},
                                                     {"alert", 1},
                                                     {"snapshot_loaded", 1},
                                                     {"snapshot_rejected", 1},
                                                     {"admin", 1}});
}

TEST_CASE("many threads record at once and nothing is lost", "[audit-log]") {
  Bench bench;
  constexpr std::int64_t thread_count = 4;
  constexpr std::int64_t sessions_each = 500;
  AuditLog audit(bench.settings(bench.path()), *bench.log);
  std::atomic<std::int64_t> recorded{0};
  std::vector<std::thread> threads;
  threads.reserve(thread_count);
  for (std::int64_t thread = 0; thread < thread_count; ++thread) {
    threads.emplace_back([&audit, &recorded] {
      for (std::int64_t session = 0; session < sessions_each; ++session) {
        auto room = audit.reserve();
        audit.denied(denied_record());
        if (!room) continue;
        audit.opened(*room, allowed_record());
        audit.closed(*room, allowed_record());
        recorded.fetch_add(1);
      }
    });
  }
  audit.reopen();
  for (std::thread& thread : threads) thread.join();
  audit.stop();
  CHECK(audit.depth() == 0);

  int opened = 0;
  int closed = 0;
  std::int64_t refused = 0;
  std::int64_t denied = 0;
  for (const std::string& line : lines_of(bench.path())) {
    const auto value = boost::json::parse(line);
    const auto& event = value.at("event").as_string();
    const auto* count = value.as_object().if_contains("count");
    if (event == "denied") denied += count != nullptr ? count->as_int64() : 1;
    if (event == "opened") ++opened;
    if (event == "closed" && count == nullptr) ++closed;
    if (event == "closed" && count != nullptr) refused += count->as_int64();
  }
  CHECK(opened == recorded);
  CHECK(closed == recorded);
  CHECK(recorded + refused == thread_count * sessions_each);
  CHECK(denied + static_cast<std::int64_t>(audit.lost()) == thread_count * sessions_each);
}

TEST_CASE("room is refused when the queue is full, and given back", "[audit-log]") {
  Bench bench;
  {
    AuditLog audit(bench.settings(bench.path()), *bench.log);
    std::vector<AuditRoom> rooms;
    while (auto room = audit.reserve()) rooms.push_back(std::move(*room));
    CHECK(rooms.size() >= 100);
    CHECK(rooms.size() < 100'000);
    CHECK(audit.writable());

    rooms.pop_back();
    CHECK(audit.reserve());

    // A session that ends before it was established gives back the record it did not need.
    audit.closed(rooms.back(), allowed_record());
    rooms.pop_back();
    CHECK(comes_true([&] { return audit.depth() == 0; }));
    CHECK(audit.reserve());
  }
  CHECK(text_of(bench.path()).find(R"("close_reason":"audit_unwritable","count":1})") !=
        std::string::npos);
}

TEST_CASE("no session is let in while the file cannot be opened", "[audit-log]") {
  Bench bench;
  std::filesystem::create_directory(bench.path());
  AuditLog audit(bench.settings(bench.path()), *bench.log);
  CHECK_FALSE(audit.writable());
  CHECK_FALSE(audit.reserve());
  CHECK_FALSE(audit.reserve());

  std::filesystem::remove(bench.path());
  CHECK(comes_true([&] { return audit.writable(); }));
  run_session(audit, 1);
  audit.stop();
  CHECK(bench.log_lines_with("the audit cannot be written") == 1);
  CHECK(bench.log_lines_with("new sessions are refused") == 1);
  CHECK(bench.log_lines_with("the audit is written again") == 1);
  CHECK(text_of(bench.path()).find(R"("close_reason":"audit_unwritable","count":2})") !=
        std::string::npos);
  CHECK(bench.events() == std::map<std::string, int>{{"opened", 1}, {"closed", 2}});
}

TEST_CASE("a session whose disk fills up is recorded when there is space again", "[audit-log]") {
  Bench bench;
  AuditLog audit(bench.settings("/dev/full"), *bench.log);
  auto room = audit.reserve();
  REQUIRE(room);
  audit.opened(*room, allowed_record());
  CHECK(comes_true([&] { return !audit.writable(); }));
  CHECK_FALSE(audit.reserve());
  audit.closed(*room, allowed_record());
  CHECK(audit.depth() == 2);

  audit.configure(bench.settings(bench.path()));
  CHECK(comes_true([&] { return audit.writable(); }));
  CHECK(audit.reserve());
  audit.stop();
  CHECK(bench.events() == std::map<std::string, int>{{"opened", 1}, {"closed", 2}});
  CHECK(audit.lost() == 0);
}

TEST_CASE("by choice sessions go on, and what cannot be written is counted", "[audit-log]") {
  Bench bench;
  constexpr auto carry_on = config::WhenUnwritable::carry_on;
  AuditLog audit(bench.settings("/dev/full", carry_on), *bench.log);
  // More than the queue holds.
  constexpr std::size_t sessions = 10'000;
  for (std::size_t session = 0; session < sessions; ++session) run_session(audit, session);
  CHECK(comes_true([&] { return !audit.writable(); }));
  CHECK(audit.lost() > 0);
  CHECK(audit.lost() + audit.depth() == 2 * sessions);
  audit.stop(0ms);
  CHECK(audit.lost() == 2 * sessions);
  CHECK(audit.depth() == 0);
  CHECK(bench.log_lines_with("the audit cannot be written") == 1);
  CHECK(bench.log_lines_with("the audit ends with") == 1);
}

TEST_CASE("without a file sessions are let in and nothing is written", "[audit-log]") {
  Bench bench;
  AuditLog audit(bench.settings(std::nullopt), *bench.log);
  CHECK(audit.writable());
  for (std::uint64_t session = 0; session < 100; ++session) run_session(audit, session);
  audit.denied(denied_record());
  CHECK(comes_true([&] { return audit.depth() == 0; }));
  CHECK(audit.lost() == 0);
  CHECK(lines_of(bench.folder / "log").empty());
}

TEST_CASE("denials do not take the room of sessions", "[audit-log]") {
  Bench bench;
  AuditLog audit(bench.settings("/dev/full", config::WhenUnwritable::carry_on), *bench.log);
  for (int denial = 0; denial < 20'000; ++denial) audit.denied(denied_record());
  auto room = audit.reserve();
  REQUIRE(room);
  const std::uint64_t lost = audit.lost();
  audit.opened(*room, allowed_record());
  CHECK(audit.lost() == lost);
  audit.stop(0ms);
}

TEST_CASE("alerts have room of their own, and what does not fit is counted as lost",
          "[audit-log]") {
  Bench bench;
  AuditLog audit(bench.settings("/dev/full"), *bench.log);
  for (int denial = 0; denial < 20'000; ++denial) audit.denied(denied_record());
  const std::uint64_t lost_denials = audit.lost();
  audit.alert(allowed_record(), 21);
  CHECK(audit.lost() == lost_denials);

  constexpr std::uint64_t alerts = 10'000;
  for (std::uint64_t alert = 1; alert < alerts; ++alert) audit.alert(allowed_record(), 21);
  CHECK(audit.lost() > lost_denials);
  // Neither do alerts take what commands need.
  const std::uint64_t lost = audit.lost();
  audit.record(AdminCommand{});
  CHECK(audit.lost() == lost);

  audit.configure(bench.settings(bench.path()));
  audit.stop();
  CHECK(static_cast<std::uint64_t>(bench.events()["alert"]) == alerts - (lost - lost_denials));
  CHECK(bench.events()["admin"] == 1);
}

TEST_CASE("a minute of denials is folded by the given clock", "[audit-log]") {
  Bench bench;
  std::atomic<std::int64_t> seconds{1000};
  AuditClock clock;
  clock.steady = [&seconds] {
    return std::chrono::steady_clock::time_point(std::chrono::seconds(seconds.load()));
  };
  clock.wall = [&seconds] {
    return std::chrono::system_clock::time_point(std::chrono::seconds(seconds.load()));
  };
  AuditLog audit(bench.settings(bench.path()), *bench.log, clock);
  audit.denied(denied_record());
  audit.denied(denied_record());
  audit.denied(denied_record());
  REQUIRE(comes_true([&] { return audit.depth() == 0; }));
  CHECK(lines_of(bench.path()).size() == 1);

  seconds += 60;
  audit.reopen();  // only to wake the writer
  REQUIRE(comes_true([&] { return lines_of(bench.path()).size() == 2; }));
  CHECK(lines_of(bench.path())[1].find("\"count\":2}") != std::string::npos);
  CHECK(lines_of(bench.path())[1].find("1970-01-01T00:17:40.000000Z") != std::string::npos);
}

TEST_CASE("an event after the end is counted as lost", "[audit-log]") {
  Bench bench;
  AuditLog audit(bench.settings(bench.path()), *bench.log);
  auto room = audit.reserve();
  REQUIRE(room);
  audit.stop();
  audit.closed(*room, allowed_record());
  CHECK(audit.lost() == 1);
  CHECK(audit.depth() == 0);
}

}  // namespace
}  // namespace gatehouse
