#include "config/printable.h"

#include <catch2/catch.hpp>

namespace gatehouse::config {
namespace {

TEST_CASE("what a terminal would obey is written out", "[printable]") {
  CHECK(printable("a\x1B[2J\r\n\x7F") == R"(a\x1b[2J\x0d\x0a\x7f)");
  CHECK(printable("\xC2\x80\xC2\x9B\xC2\x9F") == R"(\u0080\u009b\u009f)");
  CHECK(printable("\xE2\x80\xA8\xE2\x80\xA9") == R"(\u2028\u2029)");
}

TEST_CASE("what turns the text behind it around is written out", "[printable]") {
  CHECK(printable("\xE2\x80\xAA\xE2\x80\xAE") == R"(\u202a\u202e)");
  CHECK(printable("\xE2\x81\xA6\xE2\x81\xA9") == R"(\u2066\u2069)");
}

TEST_CASE("everything else is as it was", "[printable]") {
  for (const std::string_view text :
       {" ~", "\xC2\xA0", "\xE2\x80\xA7", "\xE2\x80\xAF", "\xE2\x81\xA5", "\xE2\x81\xAA",
        "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D", "\xFF", "\xC2", "\xC2x", "\xE2\x80", "\xE2\x80x"}) {
    CHECK(printable(text) == text);
  }
}

}  // namespace
}  // namespace gatehouse::config
