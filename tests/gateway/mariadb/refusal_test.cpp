#include "gateway/mariadb/refusal.h"

#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include "gateway/mariadb/packet.h"
#include "gateway/mariadb/reply.h"

namespace gatehouse::mariadb {

namespace {

// What a client makes of the packet, so that each can be written down in one line.
struct Heard {
  int sequence = 0;
  int code = 0;
  std::optional<std::string> state;
  std::string message;
};

Heard hear(const Refusal& refusal) {
  const Bytes packet = refusal.bytes();
  REQUIRE(packet.size() > header_size);
  const PacketHeader header = read_header(packet.first<header_size>());
  REQUIRE(header.length == packet.size() - header_size);
  const auto error = parse_error(packet.subspan(header_size));
  REQUIRE(error);
  Heard heard{header.sequence, error->code, std::nullopt, std::string(error->message)};
  if (error->state) heard.state = std::string(*error->state);
  return heard;
}

void check(const Heard& heard, const Heard& expected) {
  CHECK(heard.sequence == expected.sequence);
  CHECK(heard.code == expected.code);
  CHECK(heard.state == expected.state);
  CHECK(heard.message == expected.message);
}

}  // namespace

TEST_CASE("a denied source reads its own address, before any greeting") {
  check(hear(denied_at_accept("203.0.113.9")),
        {0, 9000, std::nullopt,
         "Client with IP address '203.0.113.9' is not allowed to connect to this MariaDB server."});
}

TEST_CASE("a client without TLS is told to use it") {
  check(hear(ssl_required(2)),
        {2, 9002, "28000", "SSL connection is required. Please specify SSL options and retry."});
}

TEST_CASE("too many sessions are said in MariaDB's words at either moment") {
  check(hear(too_many_connections(before_greeting)),
        {0, 1040, std::nullopt, "Too many connections"});
  check(hear(too_many_connections(after_greeting(3))), {3, 1040, "08004", "Too many connections"});
}

TEST_CASE("a login that cannot be read is a bad handshake") {
  check(hear(bad_handshake(3)), {3, 1043, "08S01", "Bad handshake"});
}

TEST_CASE("a character set that no client may have is refused as MariaDB refuses it") {
  const Heard heard = hear(charset_refused(3));
  CHECK(heard.sequence == 3);
  CHECK(heard.code == 1231);
  CHECK(heard.state == "42000");
}

TEST_CASE("a failed session is answered with its reference, whatever failed") {
  const auto failure = GENERATE(Failure::backend_unreachable, Failure::audit_unwritable,
                                Failure::gateways_own_user, Failure::clear_password_refused);
  const Heard before = hear(session_failed(before_greeting, failure, "3f2a"));
  CHECK(before.sequence == 0);
  CHECK(before.code == 1105);
  CHECK_FALSE(before.state);
  CHECK_THAT(before.message, Catch::EndsWith(" Reference: 3f2a"));

  const Heard after = hear(session_failed(after_greeting(255), failure, "3f2a"));
  CHECK(after.sequence == 255);
  CHECK(after.state == "HY000");
  CHECK(after.message == before.message);
}

TEST_CASE("every refusal fits with the longest argument, and what is longer is cut") {
  const std::string longest(Refusal::argument_size_max, 'r');
  const auto failure = GENERATE(Failure::backend_unreachable, Failure::audit_unwritable,
                                Failure::gateways_own_user, Failure::clear_password_refused);
  const Heard heard = hear(session_failed(after_greeting(4), failure, longest));
  CHECK_THAT(heard.message, Catch::EndsWith(" Reference: " + longest));
  CHECK(hear(session_failed(after_greeting(4), failure, longest + "x")).message == heard.message);
  CHECK_THAT(hear(denied_at_accept(longest)).message, Catch::EndsWith("to this MariaDB server."));
}

}  // namespace gatehouse::mariadb
