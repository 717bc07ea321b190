#include "gateway/failed_logins.h"

#include <thread>

#include <catch2/catch.hpp>

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

constexpr FailedLogins::Time start{10h};
const rules::IpRange everyone = rules::all_v4;

SourceKey source(std::uint32_t number, std::string network = "office") {
  return {std::move(network), rules::IpAddress::v4(0x0A000000U + number)};
}

// Three a minute are nothing; the fourth is an alert, and a block where the test sets one.
struct Fixture {
  config::FailedLogins settings{.per_minute = 3, .block = std::nullopt};
  FailedLogins table;

  std::optional<std::uint32_t> fail(const SourceKey& from, FailedLogins::Time now = start,
                                    std::string_view server = "orders") {
    return table.failed(settings, from, server, now);
  }
  // So often at once; the alerts made by it.
  int fail_often(int times, const SourceKey& from, FailedLogins::Time now = start,
                 std::string_view server = "orders") {
    int alerts = 0;
    for (int turn = 0; turn < times; ++turn) alerts += fail(from, now, server) ? 1 : 0;
    return alerts;
  }
  [[nodiscard]] bool is_blocked(const SourceKey& from, FailedLogins::Time now = start,
                                std::string_view server = "orders") {
    return table.is_blocked(from, server, now);
  }
};

TEST_CASE_METHOD(Fixture, "one refusal more than are allowed in a minute is the alert, once",
                 "[failed-logins]") {
  CHECK_FALSE(fail(source(1)));
  CHECK_FALSE(fail(source(1), start + 20s));
  CHECK_FALSE(fail(source(1), start + 40s));
  CHECK(fail(source(1), start + 59s) == 4);
  CHECK_FALSE(fail(source(1), start + 59s));
  CHECK_FALSE(is_blocked(source(1)));
  CHECK(table.blocks(start).empty());
}

TEST_CASE_METHOD(Fixture, "a minute later counting begins anew, and so do alerts",
                 "[failed-logins]") {
  CHECK(fail_often(3, source(1)) == 0);
  CHECK_FALSE(fail(source(1), start + 1min));
  CHECK(fail_often(2, source(1), start + 90s) == 0);
  CHECK(fail(source(1), start + 119s) == 4);
  CHECK(fail_often(3, source(1), start + 2min) == 0);
  CHECK(fail(source(1), start + 2min) == 4);
}

TEST_CASE_METHOD(Fixture, "an address, a network and a server are each counted apart",
                 "[failed-logins]") {
  settings.block = 1min;
  CHECK(fail_often(4, source(1, "office")) == 1);
  CHECK(fail_often(3, source(2, "office")) == 0);
  CHECK(fail_often(3, source(1, "plant")) == 0);
  CHECK(fail_often(3, source(1, "")) == 0);
  CHECK(fail_often(3, source(1, "office"), start, "billing") == 0);
  CHECK(fail_often(3, {"office", *rules::IpAddress::parse("::a00:1")}) == 0);

  CHECK(is_blocked(source(1, "office")));
  CHECK_FALSE(is_blocked(source(2, "office")));
  CHECK_FALSE(is_blocked(source(1, "plant")));
  CHECK_FALSE(is_blocked(source(1, "")));
  CHECK_FALSE(is_blocked(source(1, "office"), start, "billing"));
  CHECK_FALSE(is_blocked({"office", *rules::IpAddress::parse("::a00:1")}));
}

TEST_CASE_METHOD(Fixture, "a block begins with its alert and ends by itself", "[failed-logins]") {
  settings.block = 5min;
  CHECK(fail_often(3, source(1)) == 0);
  CHECK_FALSE(is_blocked(source(1)));
  CHECK(fail(source(1), start + 1s) == 4);
  CHECK(is_blocked(source(1), start + 1s));
  CHECK(is_blocked(source(1), start + 1s + 5min - 1ns));
  CHECK_FALSE(is_blocked(source(1), start + 1s + 5min));

  const auto blocks = table.blocks(start + 2s);
  REQUIRE(blocks.size() == 1);
  CHECK(blocks[0].server == "orders");
  CHECK(blocks[0].source == source(1));
  CHECK(blocks[0].until == start + 1s + 5min);
  CHECK(table.blocks(start + 1s + 5min).empty());
}

TEST_CASE_METHOD(Fixture, "what was under way when a block began makes no second alert",
                 "[failed-logins]") {
  settings.block = 5min;
  CHECK(fail_often(4, source(1)) == 1);
  CHECK(fail_often(100, source(1), start + 2min) == 0);
  CHECK(table.blocks(start)[0].until == start + 5min);
}

TEST_CASE_METHOD(Fixture, "after a block it takes as many refusals again, however short it was",
                 "[failed-logins]") {
  settings.block = 1s;
  CHECK(fail_often(4, source(1)) == 1);
  CHECK(fail_often(3, source(1), start + 1s) == 0);
  CHECK_FALSE(is_blocked(source(1), start + 1s));
  CHECK(fail(source(1), start + 2s) == 4);
  CHECK(is_blocked(source(1), start + 2s));

  // And they have a whole minute to come in, from the first on.
  CHECK(fail_often(3, source(1), start + 50s) == 0);
  CHECK(fail(source(1), start + 109s) == 4);
}

TEST_CASE_METHOD(Fixture, "settings count from when they change", "[failed-logins]") {
  settings.block = 5min;
  CHECK(fail_often(4, source(1)) == 1);
  CHECK(fail_often(3, source(2)) == 0);

  SECTION("a block in force stays, and without blocks there are no new ones") {
    settings.block.reset();
    CHECK(fail(source(2)) == 4);
    CHECK_FALSE(is_blocked(source(2)));
    CHECK(is_blocked(source(1), start + 4min));
  }
  SECTION("a lower bound holds for what was counted before, with the number it really was") {
    settings.per_minute = 1;
    CHECK(fail(source(2)) == 4);
    CHECK(is_blocked(source(2)));
  }
  SECTION("a higher bound gives what is left of it") {
    settings.per_minute = 5;
    CHECK(fail_often(2, source(2)) == 0);
    CHECK(fail(source(2)) == 6);
  }
}

TEST_CASE_METHOD(Fixture, "a block is lifted by address or range, on one server or on all",
                 "[failed-logins]") {
  settings.block = 5min;
  for (const std::uint32_t number : {1U, 2U, 9U}) {
    CHECK(fail_often(4, source(number)) == 1);
    CHECK(fail_often(4, source(number, "plant"), start, "billing") == 1);
  }
  CHECK(fail_often(3, source(5)) == 0);
  const auto one_and_two = rules::IpRange::parse("10.0.0.1-10.0.0.2").range;

  SECTION("of one address, in every network and on every server") {
    CHECK(table.lift({source(1).address, source(1).address}, std::nullopt, start) == 2);
    CHECK_FALSE(is_blocked(source(1)));
    CHECK_FALSE(is_blocked(source(1, "plant"), start, "billing"));
    CHECK(is_blocked(source(2)));
    CHECK(table.blocks(start).size() == 4);
    // From nothing: what was counted is forgotten.
    CHECK(fail_often(3, source(1)) == 0);
    CHECK(fail(source(1)) == 4);
  }
  SECTION("of a range, on one server") {
    CHECK(table.lift(one_and_two, "billing", start) == 2);
    CHECK(table.lift(one_and_two, "billing", start) == 0);
    CHECK(is_blocked(source(1)));
    CHECK(is_blocked(source(9, "plant"), start, "billing"));
  }
  SECTION("of everyone, but not what is only being counted") {
    CHECK(table.lift(everyone, std::nullopt, start) == 6);
    CHECK(table.blocks(start).empty());
    CHECK(fail(source(5)) == 4);
  }
  SECTION("not what is over already") {
    CHECK(table.lift(everyone, std::nullopt, start + 5min) == 0);
  }
}

TEST_CASE_METHOD(Fixture, "blocks are told by server, network and address", "[failed-logins]") {
  settings.block = 5min;
  CHECK(fail_often(4, source(2), start, "orders") == 1);
  CHECK(fail_often(4, source(1, "plant"), start, "orders") == 1);
  CHECK(fail_often(4, source(1), start, "orders") == 1);
  CHECK(fail_often(4, source(3), start + 1min, "billing") == 1);
  const auto blocks = table.blocks(start + 1min);
  REQUIRE(blocks.size() == 4);
  CHECK(blocks[0].source == source(3));
  CHECK(blocks[1].source == source(1));
  CHECK(blocks[2].source == source(2));
  CHECK(blocks[3].source == source(1, "plant"));
  CHECK(table.blocks(start + 5min).size() == 1);
}

struct FloodFixture : Fixture {
  // So many refusals of each of many addresses, all in a network that one customer may well have to
  // himself; the alerts made by them.
  int flood_with(int times, FailedLogins::Time now = start,
                 std::uint64_t addresses = 2 * limits::failed_login_sources) {
    int alerts = 0;
    for (std::uint64_t number = 0; number < addresses; ++number) {
      const rules::Bits128 bits{0x20010DB800000000U, number};
      alerts += fail_often(times, {"", rules::IpAddress::v6_border(bits)}, now);
    }
    return alerts;
  }
};

TEST_CASE_METHOD(FloodFixture,
                 "a flood from many addresses neither grows the table nor ends a block",
                 "[failed-logins]") {
  settings.block = 5min;
  CHECK(fail_often(4, source(1)) == 1);
  CHECK(flood_with(1) == 0);
  CHECK(is_blocked(source(1), start + 4min));

  // Every source that fails too often is blocked, until there is room for no more.
  settings.per_minute = 1;
  const int alerts = flood_with(2);
  CHECK(alerts > static_cast<int>(limits::failed_login_sources) / 2);
  CHECK(table.blocks(start).size() == static_cast<std::size_t>(alerts) + 1);
  CHECK(table.blocks(start).size() <= limits::failed_login_sources);
  CHECK(is_blocked(source(1), start + 4min));

  // When they are over there is room again.
  CHECK(fail_often(2, source(2), start + 5min) == 1);
}

TEST_CASE_METHOD(FloodFixture,
                 "a flood of single refusals does not make a source's count forgotten",
                 "[failed-logins]") {
  CHECK(fail_often(3, source(1)) == 0);
  CHECK(flood_with(1, start + 1s) == 0);
  CHECK(fail(source(1), start + 1s) == 4);
}

TEST_CASE_METHOD(FloodFixture, "beside blocks and a flood a new source is still counted",
                 "[failed-logins]") {
  settings.block = 5min;
  constexpr auto some = limits::failed_login_sources / 4;
  CHECK(flood_with(4, start, some) == some);
  CHECK(flood_with(1) == 0);
  for (std::uint32_t number = 0; number < 100; ++number) {
    CHECK(fail_often(4, source(number)) == 1);
  }
  CHECK(table.blocks(start).size() == some + 100);
}

TEST_CASE_METHOD(FloodFixture, "counts that are over make room before any that is not",
                 "[failed-logins]") {
  CHECK(flood_with(3) == 0);
  // Counts of one, which would be the first to go.
  constexpr std::uint32_t some = limits::failed_login_sources / 4;
  for (std::uint32_t number = 0; number < some; ++number) {
    CHECK_FALSE(fail(source(number), start + 1min));
  }
  for (std::uint32_t number = 0; number < some; ++number) {
    CHECK(fail_often(3, source(number), start + 1min) == 1);
  }
}

TEST_CASE_METHOD(Fixture, "several workers count together", "[failed-logins]") {
  settings = {.per_minute = 1000, .block = 5min};
  std::atomic<int> alerts{0};
  std::atomic<int> blocked{0};
  {
    std::vector<std::jthread> workers;
    for (std::uint32_t worker = 0; worker < 4; ++worker) {
      workers.emplace_back([&, worker] {
        for (int turn = 0; turn < 500; ++turn) {
          alerts += fail(source(1)) ? 1 : 0;
          static_cast<void>(fail(source(10 + worker)));
          blocked += is_blocked(source(1)) ? 1 : 0;
          if (turn % 100 == 0) static_cast<void>(table.blocks(start));
        }
      });
    }
  }
  CHECK(alerts == 1);
  CHECK(blocked > 0);
  CHECK(is_blocked(source(1)));
  CHECK_FALSE(is_blocked(source(10)));
}

}  // namespace
}  // namespace gatehouse
