#include "gateway/observe/audit_writer.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>

#include "tests/gateway/observe/records.h"
#include "tests/gateway/observe/scratch.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

// A writer on a file, and a clock that only the test moves.
class Bench {
 public:
  Bench() { writer.set_target(path(), "gw-1"); }

  [[nodiscard]] std::filesystem::path path() const { return folder / "audit.jsonl"; }

  void add(AuditEvent event) {
    const bool added = writer.add({now.wall, std::move(event)}, now);
    REQUIRE(added);
  }
  std::error_code write() { return writer.write(now); }
  void pass(std::chrono::milliseconds time) {
    now.wall += time;
    now.steady += time;
  }
  // event, or event and count where there is one
  [[nodiscard]] std::vector<std::string> events() const {
    std::vector<std::string> events;
    for (const std::string& line : lines_of(path())) {
      const auto value = boost::json::parse(line);
      std::string text(value.at("event").as_string());
      if (const auto* count = value.as_object().if_contains("count")) {
        text += " " + std::to_string(count->as_int64());
      }
      events.push_back(std::move(text));
    }
    return events;
  }

  ScratchFolder folder;
  AuditWriter writer;
  AuditWriter::Now now{std::chrono::system_clock::time_point(1795309323s),
                       std::chrono::steady_clock::time_point(1000h)};
};

using Texts = std::vector<std::string>;

TEST_CASE("events are written in their order", "[writer]") {
  Bench bench;
  bench.add(SnapshotLoaded{.generation = 1, .files = 2, .duration = 1ms});
  bench.add(Opened{allowed_record()});
  bench.add(Denied{denied_record()});
  bench.add(Closed{allowed_record()});
  CHECK_FALSE(bench.write());
  CHECK(bench.events() == Texts{"snapshot_loaded", "opened", "denied", "closed"});
  CHECK(bench.writer.take_done() == AuditShareCounts{2, 1, 0, 1, 0});
  CHECK(bench.writer.take_done() == AuditShareCounts{});
}

TEST_CASE("repeated denials become one line a minute", "[writer]") {
  Bench bench;
  for (int second = 0; second < 150; ++second) {
    bench.add(Denied{denied_record()});
    REQUIRE_FALSE(bench.write());
    bench.pass(1s);
  }
  CHECK(bench.events() == Texts{"denied", "denied 60", "denied 60"});
  CHECK(bench.writer.take_done()[1] == 150);

  CHECK_FALSE(bench.writer.write_all(bench.now));
  CHECK(bench.events() == Texts{"denied", "denied 60", "denied 60", "denied 29"});
}

TEST_CASE("while the file cannot be written, events wait and denials are counted", "[writer]") {
  Bench bench;
  bench.writer.set_target("/dev/full", "gw-1");
  bench.add(Opened{allowed_record()});
  CHECK(bench.write() == std::errc::no_space_on_device);
  for (int denial = 0; denial < 10; ++denial) bench.add(Denied{denied_record()});
  bench.add(Closed{allowed_record()});
  CHECK(bench.write() == std::errc::no_space_on_device);
  CHECK(bench.writer.take_done() == AuditShareCounts{0, 10, 0, 0});
  CHECK(bench.writer.remaining() == AuditShareCounts{2, 0, 0, 0});

  bench.writer.set_target(bench.path(), "gw-1");
  CHECK_FALSE(bench.write());
  CHECK(bench.events() == Texts{"opened", "closed", "denied 10"});
  CHECK(bench.writer.take_done() == AuditShareCounts{2, 0, 0, 0, 1});
  CHECK(bench.writer.remaining() == AuditShareCounts{});
}

TEST_CASE("without a file, events are dropped", "[writer]") {
  Bench bench;
  bench.writer.set_target(std::nullopt, "gw-1");
  bench.add(Opened{allowed_record()});
  bench.add(Denied{denied_record()});
  CHECK_FALSE(bench.write());
  CHECK(bench.writer.take_done() == AuditShareCounts{1, 1, 0, 0});

  SECTION("also those that an earlier file did not take") {
    bench.writer.set_target("/dev/full", "gw-1");
    bench.add(Opened{allowed_record()});
    CHECK(bench.write());
    bench.writer.set_target(std::nullopt, "gw-1");
    CHECK_FALSE(bench.write());
    CHECK(bench.writer.take_done() == AuditShareCounts{1, 0, 0, 0});
    CHECK(bench.writer.remaining() == AuditShareCounts{});
  }
  CHECK_FALSE(std::filesystem::exists(bench.path()));
}

TEST_CASE("a file that is configured anew takes what comes after", "[writer]") {
  Bench bench;
  bench.add(Opened{allowed_record()});
  CHECK_FALSE(bench.write());
  bench.writer.set_target(bench.folder / "other.jsonl", "gw-2");
  bench.add(Closed{allowed_record()});
  CHECK_FALSE(bench.write());
  CHECK(bench.events() == Texts{"opened"});
  CHECK(text_of(bench.folder / "other.jsonl").find("\"gateway\":\"gw-2\"") != std::string::npos);
}

TEST_CASE("more events than one write takes all arrive", "[writer]") {
  Bench bench;
  for (std::uint64_t session = 0; session < 2000; ++session) {
    bench.add(Opened{allowed_record(session)});
  }
  CHECK_FALSE(bench.write());
  const auto lines = lines_of(bench.path());
  REQUIRE(lines.size() == 2000);
  for (std::size_t session = 0; session < lines.size(); ++session) {
    REQUIRE(lines[session].find(to_string(SessionId{session})) != std::string::npos);
  }
}

}  // namespace
}  // namespace gatehouse
