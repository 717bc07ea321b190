#include <catch2/catch.hpp>

#include "tests/rules/build.h"

namespace gatehouse::rules {
namespace {

using test::address;
using test::range;

TEST_CASE("a range is an address, a block or first-last", "[rules]") {
  struct Case {
    const char* written;
    const char* first;
    const char* last;
    const char* printed;
  };
  const auto c = GENERATE(values<Case>({
      {"198.51.100.7", "198.51.100.7", "198.51.100.7", "198.51.100.7"},
      {"203.0.113.0/26", "203.0.113.0", "203.0.113.63", "203.0.113.0/26"},
      {"203.0.113.9/32", "203.0.113.9", "203.0.113.9", "203.0.113.9"},
      {"0.0.0.0/0", "0.0.0.0", "255.255.255.255", "0.0.0.0/0"},
      {"0.0.0.0/31", "0.0.0.0", "0.0.0.1", "0.0.0.0/31"},
      {"0.0.0.0-0.0.0.1", "0.0.0.0", "0.0.0.1", "0.0.0.0/31"},
      {"10.0.0.5-10.0.0.9", "10.0.0.5", "10.0.0.9", "10.0.0.5-10.0.0.9"},
      {"10.0.0.5 - 10.0.0.9", "10.0.0.5", "10.0.0.9", "10.0.0.5-10.0.0.9"},
      {"10.0.0.0\t-10.0.0.255", "10.0.0.0", "10.0.0.255", "10.0.0.0/24"},
      {"10.0.0.1-10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.1"},
      {"10.0.0.1-10.0.0.2", "10.0.0.1", "10.0.0.2", "10.0.0.1-10.0.0.2"},
      {"2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::/32"},
      {"2001:db8::/65", "2001:db8::", "2001:db8::7fff:ffff:ffff:ffff", "2001:db8::/65"},
      {"2001:db8::1-2001:db8::3", "2001:db8::1", "2001:db8::3", "2001:db8::1-2001:db8::3"},
      {"::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"},
      {"::1/128", "::1", "::1", "::1"},
      {"::ffff:10.0.0.0/104", "10.0.0.0", "10.255.255.255", "10.0.0.0/8"},
      {"::ffff:0:0/96", "0.0.0.0", "255.255.255.255", "0.0.0.0/0"},
      {"::ffff:10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.1"},
      {"::ffff:10.0.0.1-10.0.0.3", "10.0.0.1", "10.0.0.3", "10.0.0.1-10.0.0.3"},
  }));
  CAPTURE(c.written);
  const ParsedRange parsed = IpRange::parse(c.written);
  REQUIRE_FALSE(parsed.error);
  CHECK(parsed.range == IpRange{address(c.first), address(c.last)});
  CHECK(parsed.range.to_string() == c.printed);
  CHECK(range(c.printed) == parsed.range);
}

TEST_CASE("a range that is wrong says how", "[rules]") {
  struct Case {
    const char* written;
    RangeError error;
  };
  const auto c = GENERATE(values<Case>({
      {"", RangeError::malformed},
      {"/8", RangeError::malformed},
      {"-", RangeError::malformed},
      {"10.0.0.1-", RangeError::malformed},
      {"-10.0.0.1", RangeError::malformed},
      {"10.0.0.0/", RangeError::malformed},
      {"10.0.0.0/ 8", RangeError::malformed},
      {"10.0.0.0/+8", RangeError::malformed},
      {"10.0.0.0/08", RangeError::malformed},
      {"10.0.0.0/8/8", RangeError::malformed},
      {"10.0.0.0/255.0.0.0", RangeError::malformed},
      {"10.0.0.0/8-10.1.0.0/8", RangeError::malformed},
      {"10.0.0.1-10.0.0.2-10.0.0.3", RangeError::malformed},
      {" 10.0.0.1", RangeError::malformed},
      {"10.0.0.1\xc2\xa0", RangeError::malformed},
      {"10.0.0.0/33", RangeError::prefix_too_long},
      {"10.0.0.0/128", RangeError::prefix_too_long},
      {"::/129", RangeError::prefix_too_long},
      {"10.0.0.0/99999999999999999999", RangeError::prefix_too_long},
      {"10.0.0.1/24", RangeError::host_bits},
      {"1.2.3.4/0", RangeError::host_bits},
      {"2001:db8::1/64", RangeError::host_bits},
      {"::ffff:10.0.0.1/104", RangeError::host_bits},
      {"::ffff:10.0.0.0/80", RangeError::host_bits},
      {"::ffff:0.0.0.0/95", RangeError::host_bits},
      {"10.0.0.9-10.0.0.5", RangeError::reversed},
      {"::9-::5", RangeError::reversed},
      {"10.0.0.1-::1", RangeError::mixed_families},
      {"::1-10.0.0.1", RangeError::mixed_families},
      {"0.0.0.0", RangeError::unspecified},
      {"0.0.0.0/32", RangeError::unspecified},
      {"0.0.0.0-0.0.0.0", RangeError::unspecified},
      {"::", RangeError::unspecified},
      {"::/128", RangeError::unspecified},
      {"::-::", RangeError::unspecified},
      {"::ffff:0.0.0.0", RangeError::unspecified},
      {"::ffff:0.0.0.0/128", RangeError::unspecified},
  }));
  CAPTURE(c.written);
  CHECK(IpRange::parse(c.written).error == c.error);
}

TEST_CASE("a block with host bits comes with the block that may be meant", "[rules]") {
  CHECK(IpRange::parse("10.1.2.7/24").range.to_string() == "10.1.2.0/24");
  CHECK(IpRange::parse("2001:db8::7/64").range.to_string() == "2001:db8::/64");
  CHECK(IpRange::parse("::ffff:10.1.2.7/120").range.to_string() == "10.1.2.0/24");
}

TEST_CASE("a range contains both its ends and nothing of the other family", "[rules]") {
  const IpRange office = range("203.0.113.64/26");
  CHECK(office.contains(address("203.0.113.64")));
  CHECK(office.contains(address("203.0.113.127")));
  CHECK_FALSE(office.contains(address("203.0.113.63")));
  CHECK_FALSE(office.contains(address("203.0.113.128")));
  CHECK_FALSE(range("0.0.0.0/0").contains(address("::1")));
  CHECK_FALSE(range("::/0").contains(address("0.0.0.1")));
}

}  // namespace
}  // namespace gatehouse::rules
