#include "rules/ip_address.h"

#include <catch2/catch.hpp>

#include "tests/rules/build.h"

namespace gatehouse::rules {
namespace {

using test::address;

TEST_CASE("an IPv4 address is a dotted quad and nothing else", "[rules]") {
  CHECK(address("203.0.113.9").v4_value() == 0xcb007109);
  CHECK(address("0.0.0.0").is_unspecified());
  CHECK(address("255.255.255.255").v4_value() == 0xffffffff);
  const auto* const text =
      GENERATE("", "1", "1.2.3", "1.2.3.4.", ".1.2.3.4", "1.2.3.4.5", "1..2.3", "256.1.1.1",
               "1.2.3.256", "01.2.3.4", "1.2.3.00", "1.2.3.0004", "0x1.2.3.4", "1.2.3.-4",
               "+1.2.3.4", " 1.2.3.4", "1.2.3.4 ", "1.2.3.4\n", "1,2,3,4", "a.b.c.d", "1.2.3.4/32");
  CAPTURE(text);
  CHECK_FALSE(IpAddress::parse(text));
}

TEST_CASE("an IPv6 address is printed as RFC 5952 says", "[rules]") {
  struct Case {
    const char* written;
    const char* printed;
  };
  const auto c = GENERATE(values<Case>({
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:db8::1", "2001:db8::1"},
      {"2001:DB8::ABCD", "2001:db8::abcd"},
      {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
      {"::1.2.3.4", "::102:304"},
      {"ff00::ffff:ffff", "ff00::ffff:ffff"},
  }));
  CAPTURE(c.written);
  const auto parsed = IpAddress::parse(c.written);
  REQUIRE(parsed);
  CHECK_FALSE(parsed->is_v4());
  CHECK(parsed->to_string() == c.printed);
  CHECK(IpAddress::parse(c.printed) == parsed);
  CHECK(IpAddress::v6(parsed->v6_bytes()) == *parsed);
}

TEST_CASE("what is almost an IPv6 address is refused", "[rules]") {
  const auto* const text = GENERATE(
      ":", ":::", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::", "::1::", "1::2::3", "1::2:3:4:5:6:7:8", "12345::", "g::", "::-1",
      "0x1::", "::1%eth0", "[::1]", "fe80::1%1", " ::1", "::1 ", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3",
      "1.2.3.4::", "::1.2.3.4:5", "::01.2.3.4", "::1/128", "1:2:3:4:5:6:7:", "::ffff:1.2.3.256");
  CAPTURE(text);
  CHECK_FALSE(IpAddress::parse(text));
}

TEST_CASE("IPv4 in IPv6 is the IPv4 address that it carries", "[rules]") {
  CHECK(address("::ffff:203.0.113.9") == address("203.0.113.9"));
  CHECK(address("::FFFF:cb00:7109") == address("203.0.113.9"));
  CHECK(address("0:0:0:0:0:ffff:cb00:7109") == address("203.0.113.9"));
  std::array<std::uint8_t, 16> bytes{};
  bytes[10] = bytes[11] = 0xff;
  bytes[12] = 10;
  bytes[15] = 7;
  CHECK(IpAddress::v6(bytes) == address("10.0.0.7"));
  bytes[9] = 1;
  CHECK_FALSE(IpAddress::v6(bytes).is_v4());
  CHECK_FALSE(address("::fffe:10.0.0.7").is_v4());
  CHECK_FALSE(address("::10.0.0.7").is_v4());
}

TEST_CASE("IPv4 sorts before IPv6 and each by number", "[rules]") {
  CHECK(address("255.255.255.255") < address("::"));
  CHECK(address("9.255.255.255") < address("10.0.0.0"));
  CHECK(address("::ffff:ffff:ffff:ffff") < address("0:0:0:1::"));
  CHECK(address("0.0.0.0") != address("::"));
  CHECK(IpAddress() == address("0.0.0.0"));
}

TEST_CASE("128-bit numbers carry and borrow", "[rules]") {
  constexpr Bits128 one{0, 1};
  constexpr Bits128 low{0, ~std::uint64_t{0}};
  static_assert(low + one == Bits128{1, 0});
  static_assert(Bits128{1, 0} - one == low);
  static_assert(Bits128{} - one == Bits128::ones(128));
  static_assert(Bits128::ones(128) + one == Bits128{});
  static_assert(Bits128::ones(0) == Bits128{});
  static_assert(Bits128::ones(64) == low);
  static_assert(Bits128::ones(65) == Bits128{1, ~std::uint64_t{0}});
  static_assert(Bits128::ones(65).width() == 65 && Bits128::ones(64).width() == 64);
  static_assert(Bits128{}.width() == 0);
  CHECK(~Bits128{} == Bits128::ones(128));
}

}  // namespace
}  // namespace gatehouse::rules
