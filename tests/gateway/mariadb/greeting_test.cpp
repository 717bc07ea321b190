#include "gateway/mariadb/greeting.h"

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "gateway/mariadb/capabilities.h"
#include "tests/gateway/mariadb/packets.h"

namespace gatehouse::mariadb {

using test::Buffer;
using test::from_hex;
using test::mariadb_greeting;

namespace {

// Where the fields of mariadb_greeting() begin.
constexpr std::size_t after_version = 34;
constexpr std::size_t low_capabilities = after_version + 13;
constexpr std::size_t high_capabilities = after_version + 18;
constexpr std::size_t scramble_size = after_version + 20;
constexpr std::size_t extended_capabilities = after_version + 27;
constexpr std::size_t scramble_part_2 = after_version + 31;

Buffer changed(std::size_t at, std::uint8_t value) {
  Buffer payload = mariadb_greeting();
  payload.at(at) = value;
  return payload;
}

}  // namespace

TEST_CASE("a MariaDB greeting says version, thread, capabilities, scramble and plugin") {
  const auto greeting = parse_greeting(mariadb_greeting());
  REQUIRE(greeting);
  CHECK(greeting->server_version == "5.5.5-10.11.19-MariaDB-0+deb12u1");
  CHECK(greeting->thread_id == 28);
  CHECK(greeting->capabilities == 0x1D'81FFFFFEU);
  CHECK(greeting->charset == 8);
  CHECK(greeting->status == 2);
  CHECK(greeting->scramble == "h,@<NQ,)(*=1}G*;(US#");
  CHECK(greeting->plugin == "mysql_native_password");
}

TEST_CASE("no prefix of a greeting is a greeting") {
  test::for_each_prefix(mariadb_greeting(),
                        [](Bytes prefix) { CHECK_FALSE(parse_greeting(prefix)); });
}

TEST_CASE("what is no greeting of protocol 10 is not read as one") {
  struct Case {
    std::string_view name;
    Buffer payload;
  };
  const auto c = GENERATE(values<Case>({
      {"protocol 9", changed(0, 9)},
      {"an ERR", from_hex("ff 1004 546f6f206d616e7920636f6e6e656374696f6e73")},
      {"without protocol_41", changed(low_capabilities + 1, 0xFD)},
      {"without secure_connection", changed(low_capabilities + 1, 0x7F)},
      {"a scramble longer than the packet", changed(scramble_size, 0xFF)},
      {"a version without an end", Buffer(200, 'a')},
  }));
  CAPTURE(c.name);
  CHECK_FALSE(parse_greeting(c.payload));
}

TEST_CASE("extended capabilities count only where the server is not MySQL") {
  const auto greeting = parse_greeting(changed(low_capabilities, 0xFF));
  REQUIRE(greeting);
  CHECK(greeting->capabilities == 0x81FFFFFFU);
}

TEST_CASE("a scramble is as long as the server says, and 20 bytes at least") {
  SECTION("a plugin with 32 bytes") {
    Buffer payload = changed(scramble_size, 33);
    payload.insert(payload.begin() + scramble_part_2, 12, 'x');
    const auto greeting = parse_greeting(payload);
    REQUIRE(greeting);
    CHECK(greeting->scramble == "h,@<NQ,)xxxxxxxxxxxx(*=1}G*;(US#");
    CHECK(greeting->plugin == "mysql_native_password");
  }
  SECTION("a server that says nothing") {
    const auto greeting = parse_greeting(changed(scramble_size, 0));
    REQUIRE(greeting);
    CHECK(greeting->scramble.size() == 20);
  }
}

TEST_CASE("without plugin_auth there is no plugin to name") {
  Buffer payload = changed(high_capabilities, 0xF7);
  payload.resize(scramble_part_2 + 13);
  const auto greeting = parse_greeting(payload);
  REQUIRE(greeting);
  CHECK(greeting->plugin.empty());
}

TEST_CASE("what a later server adds behind the plugin is let be") {
  Buffer payload = mariadb_greeting();
  payload.push_back(0x2A);
  CHECK(parse_greeting(payload));
}

TEST_CASE("setting capabilities changes their words and nothing else") {
  const Buffer original = mariadb_greeting();
  Buffer payload = original;
  const auto greeting = parse_greeting(payload);
  REQUIRE(greeting);
  const std::uint64_t wanted =
      (greeting->capabilities & ~capability::compress & ~capability::progress) | capability::ssl;
  set_capabilities(payload, *greeting, wanted);

  const auto relayed = parse_greeting(payload);
  REQUIRE(relayed);
  CHECK(relayed->capabilities == wanted);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    const bool in_words = (i >= low_capabilities && i < low_capabilities + 2) ||
                          (i >= high_capabilities && i < high_capabilities + 2) ||
                          (i >= extended_capabilities && i < extended_capabilities + 4);
    if (!in_words) CHECK(payload[i] == original[i]);
  }
}

TEST_CASE("setting a greeting's own capabilities changes nothing") {
  const auto original =
      GENERATE(values<Buffer>({mariadb_greeting(), changed(low_capabilities, 0xFF)}));
  const auto greeting = parse_greeting(original);
  REQUIRE(greeting);
  Buffer payload = original;
  set_capabilities(payload, *greeting, greeting->capabilities);
  CHECK(payload == original);
}

}  // namespace gatehouse::mariadb
