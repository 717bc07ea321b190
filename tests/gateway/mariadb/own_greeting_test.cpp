#include "gateway/mariadb/own_greeting.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/greeting.h"
#include "gateway/mariadb/packet.h"
#include "tests/gateway/mariadb/packets.h"

namespace gatehouse::mariadb {

using test::Buffer;
using test::mariadb_greeting;
using test::payload_of;

namespace {

// The values of mariadb_greeting().
OwnGreeting like_mariadb() {
  OwnGreeting greeting{.server_version = "5.5.5-10.11.19-MariaDB-0+deb12u1",
                       .thread_id = 28,
                       .capabilities = 0x1D'81FFFFFE,
                       .charset = 8};
  std::ranges::copy(bytes_of("h,@<NQ,)(*=1}G*;(US#"), greeting.scramble.begin());
  return greeting;
}

}  // namespace

TEST_CASE("the gateway's own greeting is byte for byte that of a MariaDB with the same values") {
  Buffer packet;
  append_own_greeting(packet, like_mariadb());
  CHECK(packet[3] == 0);
  const Bytes payload = payload_of(packet);
  CHECK(Buffer(payload.begin(), payload.end()) == mariadb_greeting());
  CHECK(payload.size() < greeting_size_max);
}

TEST_CASE("the gateway's own greeting is read as it was meant") {
  OwnGreeting wanted = like_mariadb();
  wanted.server_version = "11.8.3-MariaDB";
  wanted.thread_id = 0xFFFFFFFF;
  wanted.capabilities = capability::protocol_41 | capability::secure_connection |
                        capability::plugin_auth | capability::bulk_unit_results;
  wanted.charset = 45;
  Buffer packet;
  append_own_greeting(packet, wanted);
  const auto greeting = parse_greeting(payload_of(packet));
  REQUIRE(greeting);
  CHECK(greeting->server_version == "11.8.3-MariaDB");
  CHECK(greeting->thread_id == 0xFFFFFFFF);
  CHECK(greeting->capabilities == wanted.capabilities);
  CHECK(greeting->charset == 45);
  CHECK(greeting->status == 2);
  CHECK(greeting->scramble == "h,@<NQ,)(*=1}G*;(US#");
  CHECK(greeting->plugin == "mysql_native_password");
}

TEST_CASE("a greeting that passes for MySQL's has no extended capabilities") {
  OwnGreeting wanted = like_mariadb();
  wanted.capabilities |= capability::mysql;
  Buffer packet;
  append_own_greeting(packet, wanted);
  constexpr std::size_t extended_at = header_size + 34 + 27;
  const Bytes word = Bytes(packet).subspan(extended_at, 4);
  CHECK(std::ranges::count(word, 0) == 4);
}

TEST_CASE("a greeting is appended behind what is there") {
  Buffer packet{0xAA};
  append_own_greeting(packet, like_mariadb());
  CHECK(packet[0] == 0xAA);
  CHECK(parse_greeting(payload_of(Bytes(packet).subspan(1))));
}

}  // namespace gatehouse::mariadb
