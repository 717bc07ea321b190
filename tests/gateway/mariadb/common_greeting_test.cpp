#include "gateway/mariadb/common_greeting.h"

#include <vector>

#include <catch2/catch.hpp>

#include "gateway/mariadb/capabilities.h"
#include "tests/gateway/mariadb/packets.h"

namespace gatehouse::mariadb {

namespace {

constexpr capability::Bit everything = ~capability::Bit{0} & ~capability::mysql;

CommonGreeting of_version(std::string version, capability::Bit capabilities = everything,
                          std::uint8_t charset = 8) {
  return {.server_version = std::move(version), .capabilities = capabilities, .charset = charset};
}

std::string lowest_version(std::vector<std::string> versions) {
  std::vector<CommonGreeting> backends;
  for (std::string& version : versions) backends.push_back(of_version(std::move(version)));
  return lowest_common(backends).server_version;
}

}  // namespace

TEST_CASE("what is one connection's own is not common to all") {
  const auto greeting = parse_greeting(test::mariadb_greeting());
  REQUIRE(greeting);
  const CommonGreeting common = common_part(*greeting);
  CHECK(common == of_version("5.5.5-10.11.19-MariaDB-0+deb12u1", 0x1D'81FFFFFEU, 8));
}

TEST_CASE("of one MariaDB all is offered but compression") {
  const std::vector backends{of_version("11.8.2-MariaDB", 0x3D'81FFFFFEU, 45)};
  CHECK(lowest_common(backends) == of_version("11.8.2-MariaDB", 0x3D'81FFFFDEU, 45));
}

TEST_CASE("a capability that one backend lacks is not offered") {
  const std::vector backends{
      of_version("11.8.2-MariaDB", everything & ~capability::bulk_statements),
      of_version("10.11.6-MariaDB", everything & ~capability::bulk_unit_results),
      of_version("10.6.1-MariaDB", everything & ~capability::deprecate_eof)};
  const auto capabilities = lowest_common(backends).capabilities;
  CHECK((capabilities & capability::bulk_statements) == 0);
  CHECK((capabilities & capability::bulk_unit_results) == 0);
  CHECK((capabilities & capability::deprecate_eof) == 0);
  CHECK((capabilities & capability::extended_metadata) != 0);
  CHECK((capabilities & capability::session_track) != 0);
}

TEST_CASE("MariaDB's own half is empty where one backend has none") {
  const std::vector backends{of_version("10.11.6-MariaDB"),
                             of_version("8.0.36", capability::standard_half),  // with the mysql bit
                             of_version("11.4.5-MariaDB")};
  const auto capabilities = lowest_common(backends).capabilities;
  CHECK(capabilities >> 32 == 0);
  CHECK_FALSE(capability::has_extended(capabilities));
}

TEST_CASE("what the gateway cannot carry is never offered, nor what it does not know") {
  const auto bit = GENERATE(values<capability::Bit>(
      {capability::compress, capability::zstd, capability::query_attributes,
       capability::optional_resultset_metadata, capability::multi_factor, capability::com_multi,
       capability::Bit{1} << 29, capability::Bit{1} << 30, capability::Bit{1} << 38,
       capability::Bit{1} << 63}));
  CHECK((lowest_common(std::vector{of_version("99.1")}).capabilities & bit) == 0);
  CHECK((lowest_common({}).capabilities & bit) == 0);
}

TEST_CASE("TLS is offered whatever the backends offer") {
  CHECK((lowest_common(std::vector{of_version("10.11.6", 0)}).capabilities & capability::ssl) != 0);
  CHECK((lowest_common({}).capabilities & capability::ssl) != 0);
}

TEST_CASE("where no backend is known yet, clients are promised what MariaDB 10.2 has") {
  const CommonGreeting greeting = lowest_common({});
  CHECK(greeting.server_version == "5.5.5-10.2.0-MariaDB");
  CHECK(greeting.charset == 45);
  CHECK(greeting.capabilities == 0x81BFFFDEU);
}

TEST_CASE("the lowest version is the one shown, as that server sends it") {
  CHECK(lowest_version({"11.4.5-MariaDB", "5.5.5-10.11.19-MariaDB", "11.8.2-MariaDB"}) ==
        "5.5.5-10.11.19-MariaDB");
  CHECK(lowest_version({"5.5.5-10.11.19-MariaDB", "5.5.5-10.6.2-MariaDB"}) ==
        "5.5.5-10.6.2-MariaDB");
  CHECK(lowest_version({"10.6.10", "10.6.9"}) == "10.6.9");
  CHECK(lowest_version({"11.4.1", "11.4"}) == "11.4");
  CHECK(lowest_version({"10.11.6-log", "10.11.6-MariaDB"}) == "10.11.6-log");
  CHECK(lowest_version({"5.5.5-m3", "5.5.5-10.3.1-MariaDB"}) == "5.5.5-m3");
  // A backend may say anything.
  CHECK(lowest_version({"", "banana", "10.11.6", "-1", "99999999999999999999.1"}) == "10.11.6");
  CHECK(lowest_version({"banana", "10."}) == "10.");
  CHECK(lowest_version({"banana"}) == "banana");
}

TEST_CASE("the charset shown is that of the lowest version") {
  const std::vector backends{of_version("11.8.2", everything, 45),
                             of_version("10.6.2", everything, 8),
                             of_version("11.4.5", everything, 33)};
  CHECK(lowest_common(backends).charset == 8);
}

TEST_CASE("a version is plain without what is there for old replicas") {
  CHECK(plain_version("5.5.5-10.11.19-MariaDB") == "10.11.19-MariaDB");
  CHECK(plain_version("11.4.5-MariaDB") == "11.4.5-MariaDB");
  CHECK(plain_version("5.5.5-") == "5.5.5-");
  CHECK(plain_version("5.5.5-log") == "5.5.5-log");
}

}  // namespace gatehouse::mariadb
