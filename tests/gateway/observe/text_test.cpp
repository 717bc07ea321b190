#include "gateway/observe/text.h"

#include <catch2/catch.hpp>

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a time is RFC 3339 in UTC", "[text]") {
  const std::chrono::sys_seconds time(1795309323s);
  CHECK(rfc3339(time) == "2026-11-22T01:02:03Z");
  CHECK(rfc3339_microseconds(time + 4us) == "2026-11-22T01:02:03.000004Z");
  CHECK(rfc3339_microseconds(time + 999999999ns) == "2026-11-22T01:02:03.999999Z");
}

TEST_CASE("a clock before its epoch still makes a time", "[text]") {
  CHECK(rfc3339_microseconds(std::chrono::system_clock::time_point(-1us)) ==
        "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("what is no character becomes a replacement character", "[text]") {
  struct Case {
    std::string_view name;
    std::string_view text;
    std::string_view want;
  };
  const auto c = GENERATE(values<Case>({
      {"ASCII stays", "orders", "orders"},
      {"two, three and four bytes stay", "\xC3\xB8\xE2\x82\xAC\xF0\x9F\x90\x98",
       "\xC3\xB8\xE2\x82\xAC\xF0\x9F\x90\x98"},
      {"a lone continuation byte", "a\x80z", "a\xEF\xBF\xBDz"},
      {"a character cut short", "a\xE2\x82", "a\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"an over-long slash", "\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"an over-long three bytes", "\xE0\x80\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"a surrogate", "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"beyond the last character", "\xF4\x90\x80\x80",
       "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"a lead byte before ASCII", "\xC3(", "\xEF\xBF\xBD("},
      {"no lead byte at all", "\xFF", "\xEF\xBF\xBD"},
  }));
  CAPTURE(c.name);
  CHECK(valid_utf8(c.text, 100) == c.want);
}

TEST_CASE("text is cut between characters", "[text]") {
  CHECK(valid_utf8("abc", 2) == "ab");
  CHECK(valid_utf8("a\xE2\x82\xAC", 3) == "a");
  CHECK(valid_utf8("a\xE2\x82\xAC", 4) == "a\xE2\x82\xAC");
  CHECK(valid_utf8(std::string(10'000, '\xFF'), 256).size() == 255);
}

TEST_CASE("JSON is written on without what terminals obey or readers break lines at", "[text]") {
  CHECK(printable_json("[\"\x7F\xC2\x85\xC2\x9B\xE2\x80\xA8\xE2\x80\xA9\"]") ==
        R"(["\u007f\u0085\u009b\u2028\u2029"])");
  CHECK(printable_json("[\"\xE2\x80\xAE\xE2\x81\xA6\"]") == R"(["\u202e\u2066"])");
  CHECK(printable_json("[\"\xC2\xA0\xE2\x80\xA7\"]") == "[\"\xC2\xA0\xE2\x80\xA7\"]");
  // Names of files need not be UTF-8, and stay what they are.
  CHECK(printable_json("\"\xC2\"") == "\"\xC2\"");
  CHECK(printable_json("\xC2") == "\xC2");
}

}  // namespace
}  // namespace gatehouse
