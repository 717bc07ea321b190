#include "gateway/cassandra/handshake.h"

#include <catch2/catch.hpp>

#include "tests/gateway/cassandra/frames.h"

namespace gatehouse::cassandra {

using test::Buffer;
using test::from_hex;
using test::string_map;

namespace {

// The Java driver's.
Buffer startup_body() {
  return string_map({{"CQL_VERSION", "3.0.0"},
                     {"DRIVER_NAME", "Apache Cassandra Java Driver"},
                     {"DRIVER_VERSION", "4.19.3"},
                     {"CLIENT_ID", "a824eb06-97f9-4fef-9259-6fe07978198f"},
                     {"COMPRESSION", "lz4"}});
}

Buffer string_list(const std::vector<std::string_view>& values) {
  Buffer body;
  append_u16(body, static_cast<std::uint16_t>(values.size()));
  for (const std::string_view value : values) append_string(body, value);
  return body;
}

Buffer auth_response(std::string_view token) {
  Buffer body;
  append_long_bytes(body, bytes_of(token));
  return body;
}

using namespace std::string_view_literals;

}  // namespace

TEST_CASE("a STARTUP says which driver it is, and how it compresses") {
  const Buffer body = startup_body();
  const auto startup = parse_startup(body);
  REQUIRE(startup);
  CHECK(startup->cql_version == "3.0.0");
  CHECK(startup->compression == "lz4");
  CHECK(startup->driver_name == "Apache Cassandra Java Driver");
  CHECK(startup->driver_version == "4.19.3");
}

TEST_CASE("a STARTUP's keys count in any case, and of one given twice the last") {
  const Buffer body =
      string_map({{"compression", "snappy"}, {"Cql_Version", "3.0.0"}, {"COMPRESSION", "lz4"}});
  const auto startup = parse_startup(body);
  REQUIRE(startup);
  CHECK(startup->compression == "lz4");
  CHECK(startup->cql_version == "3.0.0");
  CHECK(startup->driver_name.empty());
}

TEST_CASE("no prefix of a STARTUP is one, nor is one with bytes behind it") {
  test::for_each_prefix(startup_body(), [](Bytes prefix) { CHECK_FALSE(parse_startup(prefix)); });
  Buffer body = startup_body();
  body.push_back(0);
  CHECK_FALSE(parse_startup(body));
  CHECK_FALSE(parse_startup(from_hex("ffff 0001 61 0001 62")));
  CHECK(parse_startup(from_hex("0000")));
}

TEST_CASE("a node's SUPPORTED reads as it says, without what clients need not know") {
  Buffer body;
  append_u16(body, 4);
  for (const auto& [key, values] : std::vector<std::pair<std::string, Buffer>>{
           {"PROTOCOL_VERSIONS", string_list({"3/v3", "4/v4", "5/v5", "6/v6-beta"})},
           {"COMPRESSION", string_list({"snappy", "lz4", "zstd"})},
           {"SCYLLA_SHARD_AWARE_PORT", string_list({"19042"})},
           {"CQL_VERSION", string_list({"3.4.7"})}}) {
    append_string(body, key);
    append_bytes(body, values);
  }
  const auto supported = parse_supported(body);
  REQUIRE(supported);
  CHECK(*supported == Supported{.protocol_versions = {"3/v3", "4/v4", "5/v5", "6/v6-beta"},
                                .compression = {"snappy", "lz4", "zstd"},
                                .cql_versions = {"3.4.7"}});
  test::for_each_prefix(body, [](Bytes prefix) { CHECK_FALSE(parse_supported(prefix)); });
  body.push_back(0);
  CHECK_FALSE(parse_supported(body));

  const Supported here = spoken_here(*supported);
  CHECK(here == Supported{.protocol_versions = {"3/v3", "4/v4", "5/v5"},
                          .compression = {"snappy", "lz4"},
                          .cql_versions = {"3.4.7"}});
  Buffer out;
  append_supported(out, here);
  CHECK(parse_supported(out) == here);
}

TEST_CASE("only versions that are spoken here are said to be") {
  const Supported here = spoken_here({.protocol_versions = {"", "3", "2/v2", "3/v3", "33/v33"}});
  CHECK(here.protocol_versions == std::vector<std::string>{"3/v3"});
}

TEST_CASE("a SUPPORTED with more values than any node has is none") {
  Buffer body = from_hex("0001");
  append_string(body, "COMPRESSION");
  append_bytes(body, string_list(std::vector<std::string_view>(65, "")));
  CHECK_FALSE(parse_supported(body));
}

TEST_CASE("a password login says who it is") {
  const Buffer body = auth_response("\0alice\0secret"sv);
  CHECK(plain_user(body) == "alice");
  const Buffer acting = auth_response("bob\0alice\0secret"sv);
  CHECK(plain_user(acting) == "alice");
  test::for_each_prefix(body, [](Bytes prefix) { CHECK_FALSE(plain_user(prefix)); });
}

TEST_CASE("what Cassandra takes for no password login names no user") {
  const auto token = GENERATE(values<std::string_view>({
      "",
      "\0"sv,
      "alice",
      "alice\0secret"sv,
      "\0alice\0"sv,
      "\0\0secret"sv,
      "\0alice\0sec\0ret"sv,
      "\0alice\0secret\0"sv,
  }));
  CHECK_FALSE(plain_user(auth_response(token)));
}

TEST_CASE("an AUTH_RESPONSE without a token names no user") {
  CHECK_FALSE(plain_user(from_hex("ffffffff")));
  CHECK_FALSE(plain_user(from_hex("fffffffe")));
  CHECK_FALSE(plain_user(from_hex("")));
  Buffer longer = auth_response("\0alice\0secret"sv);
  longer.push_back(0);
  CHECK_FALSE(plain_user(longer));
}

TEST_CASE("a REGISTER says of what to tell") {
  CHECK(parse_register(string_list({"TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE"})) ==
        Registration{.topology_change = true, .status_change = true, .schema_change = true});
  CHECK(parse_register(string_list({"status_change"})) == Registration{.status_change = true});
  CHECK(parse_register(string_list({"CLIENT_ROUTES_CHANGE"})) ==
        Registration{.anything_else = true});
  CHECK(parse_register(string_list({})) == Registration{});
  const Buffer body = string_list({"TOPOLOGY_CHANGE", "STATUS_CHANGE"});
  test::for_each_prefix(body, [](Bytes prefix) { CHECK_FALSE(parse_register(prefix)); });
  Buffer longer = body;
  longer.push_back(0);
  CHECK_FALSE(parse_register(longer));
}

}  // namespace gatehouse::cassandra
