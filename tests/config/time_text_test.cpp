#include "config/time_text.h"

#include <optional>
#include <string_view>

#include <catch2/catch.hpp>

namespace gatehouse::config {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a duration is a whole number and its unit", "[config]") {
  CHECK(parse_duration("0s") == 0ms);
  CHECK(parse_duration("500ms") == 500ms);
  CHECK(parse_duration("3s") == 3s);
  CHECK(parse_duration("1m") == 1min);
  CHECK(parse_duration("8h") == 8h);
  CHECK(parse_duration("24000h") == 24000h);
}

TEST_CASE("nothing else is a duration", "[config]") {
  const auto* text =
      GENERATE("", "s", "3", "3 s", " 3s", "3s ", "-3s", "+3s", "3.5s", "3S", "3sec", "1h30m", "1d",
               "0x3s", "24001h", "4294967296ms", "99999999999999999999ms");
  CAPTURE(text);
  CHECK_FALSE(parse_duration(text));
}

rules::Time at(std::int64_t seconds_since_1970) {
  return rules::Time(std::chrono::seconds(seconds_since_1970));
}

TEST_CASE("a point in time is RFC 3339 with whole seconds", "[config]") {
  CHECK(parse_time("1970-01-01T00:00:00Z") == at(0));
  CHECK(parse_time("2026-12-31T17:00:00Z") == at(1798736400));
  CHECK(parse_time("2026-12-31T18:00:00+01:00") == at(1798736400));
  CHECK(parse_time("2026-12-31T11:30:00-05:30") == at(1798736400));
  CHECK(parse_time("2028-02-29T23:59:59Z") == at(1835481599));
  CHECK(parse_time("9999-12-31T23:59:59Z") == at(253402300799));
}

TEST_CASE("nothing else is a point in time", "[config]") {
  const auto* text = GENERATE(
      "", "2026-12-31", "2026-12-31T17:00Z", "2026-12-31T17:00:00", "2026-12-31 17:00:00Z",
      "2026-12-31T17:00:00z", "2026-12-31t17:00:00Z", "2026-12-31T17:00:00.5Z",
      "2026-12-31T17:00:00Z ", " 2026-12-31T17:00:00Z", "2026-12-31T17:00:00+0100",
      "2026-12-31T17:00:00+24:00", "2026-12-31T17:00:00+01:60", "2026-02-29T00:00:00Z",
      "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
      "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
      "2026-12-31T23:59:60Z", "26-12-31T17:00:00Z", "-026-12-31T17:00:00Z", "20261231T170000Z");
  CAPTURE(text);
  CHECK_FALSE(parse_time(text));
}

}  // namespace
}  // namespace gatehouse::config
