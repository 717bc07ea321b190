#include "gateway/mariadb/reply.h"

#include <string>

#include <catch2/catch.hpp>

#include "gateway/mariadb/capabilities.h"
#include "tests/gateway/mariadb/packets.h"

namespace gatehouse::mariadb {

using Outcome = RewrittenOk::Outcome;
using test::Buffer;
using test::from_hex;

namespace {

constexpr std::uint64_t tracking = capability::protocol_41 | capability::session_track;

// The switch a MariaDB 10.11 sends: a plugin, 20 bytes of nonce and a NUL.
Buffer native_switch() {
  return from_hex(
      "fe 6d7973716c5f6e61746976655f70617373776f726400"
      "0102030405060708090a0b0c0d0e0f1011121314 00");
}

Buffer variable(std::string_view name, std::string_view value) {
  Buffer pair;
  append_lenenc_bytes(pair, bytes_of(name));
  append_lenenc_bytes(pair, bytes_of(value));
  return pair;
}

Buffer joined(std::initializer_list<Buffer> parts) {
  Buffer all;
  for (const Buffer& part : parts) append_bytes(all, part);
  return all;
}

Buffer entry(std::uint8_t type, Bytes data) {
  Buffer out{type};
  append_lenenc_bytes(out, data);
  return out;
}

// An OK with the status autocommit, to which a session state is added.
Buffer ok_with(Bytes state, std::string_view info = "") {
  Buffer out = from_hex("00 00 00 0240 0000");
  append_lenenc_bytes(out, bytes_of(info));
  append_lenenc_bytes(out, state);
  return out;
}

const Buffer autocommit = variable("autocommit", "ON");
const Buffer redirect = variable("redirect_url", "mariadb://10.1.0.4:3306/");
const Buffer thread = variable("connection_id", "28");
const Buffer schema = entry(1, bytes_of("\4shop"));

}  // namespace

TEST_CASE("the first byte of a reply tells its kind") {
  struct Case {
    std::string_view name;
    Buffer payload;
    ReplyKind kind;
  };
  const auto c = GENERATE(values<Case>({
      {"OK", from_hex("00 00 00 0200 0000"), ReplyKind::ok},
      {"ERR", from_hex("ff 1504 23 3238303030 4e6f"), ReplyKind::error},
      {"ERR without a state", from_hex("ff 1004 4e6f"), ReplyKind::error},
      {"ERR without a text", from_hex("ff 1004"), ReplyKind::error},
      {"ERR without a code", from_hex("ff 10"), ReplyKind::malformed},
      {"ERR with half a state", from_hex("ff 1504 23 32383030"), ReplyKind::malformed},
      {"AuthSwitch", native_switch(), ReplyKind::auth_switch},
      {"AuthSwitch without data", from_hex("fe 6100"), ReplyKind::auth_switch},
      {"AuthSwitch whose plugin has no end", from_hex("fe 6161"), ReplyKind::malformed},
      {"the switch to old passwords", from_hex("fe"), ReplyKind::old_password},
      {"a plugin's data with a marker", from_hex("01 03"), ReplyKind::more_data},
      {"a plugin's data without one", from_hex("04 50617373"), ReplyKind::more_data},
      {"nothing", {}, ReplyKind::malformed},
  }));
  CAPTURE(c.name);
  CHECK(classify_reply(c.payload) == c.kind);
  CHECK(parse_error(c.payload).has_value() == (c.kind == ReplyKind::error));
  CHECK(parse_auth_switch(c.payload).has_value() == (c.kind == ReplyKind::auth_switch));
}

TEST_CASE("an ERR says code, state and text") {
  const Buffer payload = from_hex("ff 1504 23 3238303030 4e6f");
  const auto error = parse_error(payload);
  REQUIRE(error);
  CHECK(error->code == 1045);
  CHECK(error->state == "28000");
  CHECK(error->message == "No");
}

TEST_CASE("an ERR of before the greeting has no state") {
  const Buffer payload = from_hex("ff 1004 4e6f");
  const auto error = parse_error(payload);
  REQUIRE(error);
  CHECK(error->code == 1040);
  CHECK_FALSE(error->state);
  CHECK(error->message == "No");
}

TEST_CASE("no prefix of an ERR before the end of its state is an ERR with that state") {
  const Buffer payload = from_hex("ff 1504 23 3238303030");
  test::for_each_prefix(payload, [](Bytes prefix) {
    const auto error = parse_error(prefix);
    CHECK((!error || (prefix.size() == 3 && !error->state)));
  });
}

TEST_CASE("an AuthSwitch says plugin and data") {
  const Buffer payload = native_switch();
  const auto result = parse_auth_switch(payload);
  REQUIRE(result);
  CHECK(result->plugin == "mysql_native_password");
  CHECK(result->data.size() == 21);
}

TEST_CASE("the plugins that send the password itself are known by name") {
  CHECK(reveals_password("mysql_old_password"));
  CHECK(reveals_password("mysql_clear_password"));
  CHECK(reveals_password("dialog"));
  CHECK(reveals_password("sha256_password"));
  CHECK_FALSE(reveals_password("mysql_native_password"));
  CHECK_FALSE(reveals_password("client_ed25519"));
  CHECK_FALSE(reveals_password("caching_sha2_password"));
  CHECK_FALSE(reveals_password(""));
}

TEST_CASE("caching_sha2_password's request for the password is known with any marker before it") {
  CHECK(asks_for_full_authentication(from_hex("04")));
  CHECK(asks_for_full_authentication(from_hex("01 04")));
  CHECK(asks_for_full_authentication(from_hex("01 01 04")));
  CHECK_FALSE(asks_for_full_authentication(from_hex("")));
  CHECK_FALSE(asks_for_full_authentication(from_hex("01")));
  CHECK_FALSE(asks_for_full_authentication(from_hex("01 03")));
  CHECK_FALSE(asks_for_full_authentication(from_hex("01 04 00")));
}

TEST_CASE("an OK without a redirect is relayed as it is") {
  struct Case {
    std::string_view name;
    Buffer payload;
    std::uint64_t capabilities;
  };
  const auto c = GENERATE(values<Case>({
      {"nothing but numbers", from_hex("00 00 00 0200 0000"), tracking},
      {"a text", from_hex("00 00 00 0200 0000 02 6869"), tracking},
      {"a state of nothing", ok_with({}), tracking},
      {"other variables", ok_with(entry(0, autocommit)), tracking},
      {"a schema", ok_with(schema), tracking},
      {"the name as a value", ok_with(entry(0, variable("a", "redirect_url"))), tracking},
      {"the name in another kind of state", ok_with(entry(3, redirect)), tracking},
      {"the backend's thread", ok_with(entry(0, variable("connection_id", "5"))), tracking},
      {"a client that does not track", ok_with(entry(0, redirect)), capability::protocol_41},
      {"a status that announces no state", from_hex("00 00 00 0200 0000 00 05 00000000ff"),
       tracking},
  }));
  CAPTURE(c.name);
  const auto result = rewrite_login_ok(c.payload, c.capabilities, std::nullopt);
  CHECK(result.outcome == Outcome::unchanged);
  CHECK(result.payload.empty());
}

TEST_CASE("a redirect is taken out and everything else stays") {
  struct Case {
    std::string_view name;
    Buffer state;
    Buffer kept;
  };
  const auto c = GENERATE(values<Case>({
      {"between other entries", joined({entry(0, autocommit), entry(0, redirect), schema}),
       joined({entry(0, autocommit), schema})},
      {"between other pairs of one entry", entry(0, joined({autocommit, redirect, autocommit})),
       entry(0, joined({autocommit, autocommit}))},
      {"more than once", joined({entry(0, joined({redirect, autocommit})), entry(0, redirect)}),
       entry(0, autocommit)},
      {"without a value", joined({entry(0, variable("redirect_url", "")), schema}), schema},
      {"in other letters", joined({entry(0, variable("Redirect_URL", "x")), schema}), schema},
      {"of a length that takes more than a byte",
       joined({schema, entry(0, variable("redirect_url", std::string(300, 'x')))}), schema},
  }));
  CAPTURE(c.name);
  const auto result = rewrite_login_ok(ok_with(c.state, "hello"), tracking, std::nullopt);
  CHECK(result.outcome == Outcome::changed);
  CHECK(result.payload == ok_with(c.kept, "hello"));
}

TEST_CASE("a state that held nothing but a redirect is announced no more") {
  const auto result = rewrite_login_ok(ok_with(entry(0, redirect)), tracking, std::nullopt);
  CHECK(result.outcome == Outcome::changed);
  CHECK(result.payload == from_hex("00 00 00 0200 0000 00"));
}

TEST_CASE("a thread is put into the state of an OK") {
  struct Case {
    std::string_view name;
    Buffer payload;
    Buffer rewritten;
  };
  const auto c = GENERATE(values<Case>({
      {"that holds nothing but numbers", from_hex("00 00 00 0200 0000"), ok_with(entry(0, thread))},
      {"that has a text", from_hex("00 00 00 0200 0000 02 6869"), ok_with(entry(0, thread), "hi")},
      {"that has an empty text", from_hex("00 00 00 0200 0000 00"), ok_with(entry(0, thread))},
      {"whose numbers are large", from_hex("00 fc0001 fd000001 0300 0100"),
       joined({from_hex("00 fc0001 fd000001 0340 0100 00"), from_hex("13"), entry(0, thread)})},
      {"whose state is nothing", ok_with({}), ok_with(entry(0, thread))},
      {"that has a state", ok_with(joined({entry(0, autocommit), schema}), "hi"),
       ok_with(joined({entry(0, autocommit), schema, entry(0, thread)}), "hi")},
      {"that has a redirect", ok_with(entry(0, redirect)), ok_with(entry(0, thread))},
      {"that has the backend's own",
       ok_with(joined({entry(0, joined({variable("connection_id", "5"), autocommit})), schema})),
       ok_with(joined({entry(0, autocommit), schema, entry(0, thread)}))},
      {"that has the backend's own in other letters",
       ok_with(entry(0, variable("Connection_ID", "5"))), ok_with(entry(0, thread))},
      {"that has the same already", ok_with(entry(0, thread)), ok_with(entry(0, thread))},
  }));
  CAPTURE(c.name);
  const auto result = rewrite_login_ok(c.payload, tracking, 28);
  CHECK(result.outcome == Outcome::changed);
  CHECK(result.payload == c.rewritten);
}

TEST_CASE("a client that does not track state is told no thread") {
  const auto payload = GENERATE(
      values<Buffer>({from_hex("00 00 00 0200 0000"), from_hex("00 00 00 0200 0000 68656c6c6f")}));
  const auto result = rewrite_login_ok(payload, capability::protocol_41, 28);
  CHECK(result.outcome == Outcome::unchanged);
}

TEST_CASE("an OK whose text cannot be read to its end is told no thread") {
  const auto payload = GENERATE(values<Buffer>(
      {from_hex("00 00 00 0200 0000 06 6869"), from_hex("00 00 00 0200 0000 02 6869 00")}));
  CHECK(rewrite_login_ok(payload, tracking, 28).outcome == Outcome::malformed);
}

TEST_CASE("no prefix of an OK with a state is taken for a whole one") {
  test::for_each_prefix(
      ok_with(joined({entry(0, autocommit), entry(0, redirect)}), "hello"), [](Bytes prefix) {
        CHECK(rewrite_login_ok(prefix, tracking, std::nullopt).outcome == Outcome::malformed);
      });
}

TEST_CASE("a state that cannot be read to its end is malformed") {
  struct Case {
    std::string_view name;
    Buffer payload;
  };
  const auto c = GENERATE(values<Case>({
      {"an entry longer than the state", ok_with(from_hex("00 05 0161 0162"))},
      {"an entry without a length", ok_with(from_hex("00"))},
      {"a name without a value", ok_with(from_hex("00 02 0161"))},
      {"a value longer than its entry", ok_with(from_hex("00 04 0161 0262"))},
      {"a state longer than the packet", from_hex("00 00 00 0240 0000 00 06 00 04 0161")},
      {"a state shorter than the packet", from_hex("00 00 00 0240 0000 00 00 ff")},
      {"no OK at all", native_switch()},
  }));
  const auto id = GENERATE(values<std::optional<std::uint32_t>>({std::nullopt, 7}));
  CAPTURE(c.name, id.has_value());
  CHECK(rewrite_login_ok(c.payload, tracking, id).outcome == Outcome::malformed);
}

TEST_CASE("an answer has one of the sizes that its plugin can be answered with") {
  struct Case {
    const char* plugin;
    std::size_t size;
    bool possible;
  };
  const auto c = GENERATE(values<Case>({{"mysql_native_password", 0, true},
                                        {"mysql_native_password", 20, true},
                                        {"mysql_native_password", 1, false},
                                        {"mysql_native_password", 21, false},
                                        {"client_ed25519", 0, true},
                                        {"client_ed25519", 64, true},
                                        {"client_ed25519", 20, false},
                                        {"dialog", 7, true},
                                        {"", 7, true}}));
  CAPTURE(c.plugin, c.size);
  CHECK(may_answer(c.plugin, c.size) == c.possible);
}

}  // namespace gatehouse::mariadb
