#include "config/address_list.h"

#include <random>
#include <string>

#include <catch2/catch.hpp>

namespace gatehouse::config {
namespace {

using rules::IpAddress;
using rules::IpRange;

struct Read {
  rules::RangeSet set;
  Diagnostics diagnostics;
};

Read read(std::string_view text) {
  Read result;
  result.set = read_address_list(text, "a.netset", result.diagnostics);
  return result;
}

std::string words(const Diagnostics& diagnostics) {
  std::string all;
  for (const auto& diagnostic : diagnostics.all()) {
    all += std::to_string(diagnostic.at.line) + ':' + std::to_string(diagnostic.at.column) + ' ' +
           diagnostic.message + '\n';
  }
  return all;
}

TEST_CASE("a list holds addresses, blocks and ranges of both families", "[config]") {
  const auto [set, diagnostics] = read(
      "# partners\n"
      "\n"
      "203.0.113.7\n"
      "  198.51.100.0/24\t# Bergen\r\n"
      "192.0.2.1 - 192.0.2.9\n"
      "2001:db8::/32#IPv6\n"
      "2001:db9::1-2001:db9::9\n");
  CHECK(words(diagnostics).empty());
  CHECK(set.v4().size() == 3);
  CHECK(set.v6().size() == 2);
  for (const auto* inside :
       {"203.0.113.7", "198.51.100.255", "192.0.2.9", "2001:db8:ffff::", "2001:db9::5"}) {
    CAPTURE(inside);
    CHECK(set.contains(*IpAddress::parse(inside)));
  }
  for (const auto* outside : {"203.0.113.8", "198.51.101.0", "192.0.2.10", "2001:db9::a"}) {
    CAPTURE(outside);
    CHECK_FALSE(set.contains(*IpAddress::parse(outside)));
  }
}

TEST_CASE("a list without entries is empty, not wrong", "[config]") {
  for (const auto* text : {"", "\n", "# nothing\n", "\n\n  \t\r\n"}) {
    const auto [set, diagnostics] = read(text);
    CHECK(set.empty());
    CHECK(diagnostics.all().empty());
  }
}

TEST_CASE("the last line counts with and without its newline", "[config]") {
  CHECK(read("203.0.113.7").set.size() == 1);
  CHECK(read("203.0.113.7\n").set.size() == 1);
}

TEST_CASE("errors say their line and column", "[config]") {
  const auto [set, diagnostics] = read(
      "203.0.113.7/26\n"
      "\n"
      "  nonsense # here\n"
      "203.0.113.9-203.0.113.7\n"
      "0.0.0.0\n"
      "198.51.100.7\n");
  CHECK(words(diagnostics) ==
        "1:1 '203.0.113.7/26' has bits set beyond its prefix\n"
        "3:3 'nonsense' is not an address, a block or a range\n"
        "4:1 '203.0.113.9-203.0.113.7' starts after it ends\n"
        "5:1 '0.0.0.0' is nobody's address\n");
  CHECK(diagnostics.all()[0].hint == "write 203.0.113.0/26 to mean the whole block");
}

TEST_CASE("after twenty errors the rest are counted", "[config]") {
  const auto lines = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "nonsense\n";
    return text;
  };
  CHECK(read(lines(20)).diagnostics.all().size() == 20);
  const auto many = read(lines(23)).diagnostics;
  REQUIRE(many.all().size() == 21);
  CHECK(many.all().back().message == "3 more errors from here on in this list");
  CHECK(many.all().back().at == Location{"a.netset", 21, 1});
}

// The list has a way of its own to read the common line; it must never judge otherwise.
TEST_CASE("a list takes a line exactly if a rule's range takes it", "[config]") {
  std::mt19937 random(1);
  const auto pick = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
  };
  constexpr std::string_view parts[] = {"0",   "1",    "01",  "10",  "255", "256", "127", "128",
                                        "999", "1000", "",    ".",   "..",  "/",   "/0",  "/8",
                                        "/31", "/32",  "/33", "/08", "-",   " ",   ":",   "a"};
  std::string line;
  for (int i = 0; i < 200'000; ++i) {
    line.clear();
    for (int octet = 0; octet < 4; ++octet) {
      line += parts[pick(8)];
      if (octet < 3) line += '.';
    }
    if (pick(2) == 0) line += '/' + std::to_string(pick(35));
    if (pick(3) == 0) line.replace(pick(line.size()), pick(3), parts[pick(std::size(parts))]);

    const auto [set, diagnostics] = read(line);
    const auto expected =
        IpRange::parse(line.substr(0, line.find_last_not_of(' ') + 1)
                           .substr(std::min(line.size(), line.find_first_not_of(' '))));
    CAPTURE(line);
    REQUIRE(diagnostics.has_errors() == expected.error.has_value());
    if (!expected.error) {
      REQUIRE(set.size() == 1);
      REQUIRE(set.contains(expected.range.first));
      REQUIRE(set.contains(expected.range.last));
    }
  }
}

}  // namespace
}  // namespace gatehouse::config
