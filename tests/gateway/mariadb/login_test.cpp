#include "gateway/mariadb/login.h"

#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/packet.h"
#include "gateway/mariadb/plugins.h"
#include "tests/gateway/mariadb/packets.h"

namespace gatehouse::mariadb {

using test::Buffer;
using test::client_login;
using test::client_ssl_request;
using test::from_hex;
using test::payload_of;

namespace {

constexpr std::uint64_t basic = capability::protocol_41 | capability::secure_connection;

// A login of `capabilities` whose fields behind the prefix are `fields`.
Buffer login_of(std::uint64_t capabilities, Bytes fields) {
  Buffer payload;
  append_u32(payload, static_cast<std::uint32_t>(capabilities));
  append_u32(payload, 1U << 24);
  append_u8(payload, 33);
  payload.insert(payload.end(), 19, 0);
  append_u32(payload, static_cast<std::uint32_t>(capabilities >> 32));
  append_bytes(payload, fields);
  return payload;
}

}  // namespace

TEST_CASE("an SSLRequest says capabilities, packet limit and charset") {
  const auto request = parse_ssl_request(client_ssl_request());
  REQUIRE(request);
  CHECK(request->capabilities == 0x1D'00BFAA8CU);
  CHECK(request->max_packet == 0x10000000);
  CHECK(request->charset == 33);
}

TEST_CASE("an SSLRequest is 32 bytes long, asks for TLS and speaks the 4.1 protocol") {
  test::for_each_prefix(client_ssl_request(),
                        [](Bytes prefix) { CHECK_FALSE(parse_ssl_request(prefix)); });
  Buffer payload = client_ssl_request();
  SECTION("one byte more") {
    payload.push_back(0);
  }
  SECTION("without ssl") {
    payload[1] = 0xA2;
  }
  SECTION("without protocol_41") {
    payload[1] = 0xA8;
  }
  CHECK_FALSE(parse_ssl_request(payload));
}

TEST_CASE("extended capabilities of a client that takes the server for MySQL count for nothing") {
  Buffer payload = client_ssl_request();
  payload[0] |= 1;
  const auto request = parse_ssl_request(payload);
  REQUIRE(request);
  CHECK(request->capabilities == 0xBFAA8DU);
}

TEST_CASE("a login says who, how, where to and with what program") {
  const Buffer payload = client_login();
  const auto login = parse_login(payload);
  REQUIRE(login);
  CHECK(login->prefix.capabilities == 0x1D'00BFA28CU);
  CHECK(login->prefix.max_packet == 0x10000000);
  CHECK(login->prefix.charset == 33);
  CHECK(login->user == "alice");
  CHECK(login->auth.size() == 20);
  CHECK(login->database == "shop");
  CHECK(login->plugin == "mysql_native_password");
  CHECK(login->attribute("program_name") == "mysql");
  CHECK(login->attribute("_client_name") == "libmariadb");
  CHECK(login->attribute("_server_host") == "127.0.0.1");
  CHECK_FALSE(login->attribute("program"));
  CHECK_FALSE(login->attribute("libmariadb"));
}

TEST_CASE("no prefix of a login with attributes is a login") {
  test::for_each_prefix(client_login(), [](Bytes prefix) { CHECK_FALSE(parse_login(prefix)); });
}

TEST_CASE("no prefix of a login before the end of its database is a login") {
  const Buffer payload =
      login_of(basic | capability::connect_with_db, from_hex("626f6200 02 aabb 73"));
  REQUIRE(parse_login(payload));
  test::for_each_prefix(payload, [](Bytes prefix) { CHECK_FALSE(parse_login(prefix)); });
}

TEST_CASE("the capabilities of the SSLRequest govern, not those of the login behind it") {
  // This copy has lost ssl and, against the rules, connect_with_db; its database is still there.
  Buffer payload = client_login();
  payload[0] &= 0xF7;
  const std::uint64_t announced = parse_ssl_request(client_ssl_request())->capabilities;
  const auto login = parse_login(payload, announced);
  REQUIRE(login);
  CHECK(login->prefix.capabilities == announced);
  CHECK(login->database == "shop");
  CHECK(login->attribute("program_name") == "mysql");
}

TEST_CASE("the answer to the nonce has three forms") {
  struct Case {
    std::string_view name;
    std::uint64_t capabilities;
    Buffer fields;
  };
  const auto c = GENERATE(values<Case>({
      {"one byte of length", basic, from_hex("6200 03 616263")},
      {"length-encoded", basic | capability::plugin_auth_lenenc, from_hex("6200 fc0300 616263")},
      {"up to a NUL", capability::protocol_41, from_hex("6200 616263 00")},
      {"length-encoded means nothing to MariaDB without secure_connection",
       capability::protocol_41 | capability::plugin_auth_lenenc, from_hex("6200 616263 00")},
  }));
  CAPTURE(c.name);
  const Buffer payload = login_of(c.capabilities, c.fields);
  const auto login = parse_login(payload);
  REQUIRE(login);
  CHECK(as_text(login->auth) == "abc");
  test::for_each_prefix(payload, [](Bytes prefix) { CHECK_FALSE(parse_login(prefix)); });
}

TEST_CASE("a login with one lie in it is not a login") {
  constexpr std::uint64_t lenenc = basic | capability::plugin_auth_lenenc;
  constexpr std::uint64_t with_attributes = basic | capability::connect_attributes;
  struct Case {
    std::string_view name;
    Buffer payload;
  };
  const auto c = GENERATE_COPY(values<Case>({
      {"older than 4.1", login_of(capability::secure_connection, from_hex("6200 00"))},
      {"a user without an end", login_of(basic, from_hex("626f62"))},
      {"no answer to the nonce", login_of(basic, from_hex("6200"))},
      {"an answer longer than the packet", login_of(basic, from_hex("6200 04 616263"))},
      {"an answer of all the memory there is",
       login_of(lenenc, from_hex("6200 fe ffffffffffffffff 616263"))},
      {"an answer of length NULL", login_of(lenenc, from_hex("6200 fb 616263"))},
      {"a database announced but absent",
       login_of(basic | capability::connect_with_db, from_hex("6200 00"))},
      {"attributes announced but absent", login_of(with_attributes, from_hex("6200 00"))},
      {"attributes longer than the packet",
       login_of(with_attributes, from_hex("6200 00 04 016101"))},
  }));
  CAPTURE(c.name);
  CHECK_FALSE(parse_login(c.payload));
}

TEST_CASE("attributes may be 64 KiB less one byte, and no more") {
  const auto [size, accepted] =
      GENERATE(table<std::size_t, bool>({{0xFFFF, true}, {0x10000, false}}));
  Buffer fields = from_hex("6200 00");
  append_lenenc_bytes(fields, Buffer(size, 0));
  const Buffer payload = login_of(basic | capability::connect_attributes, fields);
  CHECK(parse_login(payload).has_value() == accepted);
  CHECK(payload.size() < login_size_max);
}

TEST_CASE("a plugin that is announced may be absent, or end with the packet") {
  const auto [fields, plugin] = GENERATE(table<Buffer, std::optional<std::string_view>>({
      {from_hex("6200 00"), std::nullopt},
      {from_hex("6200 00 616263"), "abc"},
      {from_hex("6200 00 616263 00"), "abc"},
      {from_hex("6200 00 00"), ""},
  }));
  const Buffer payload = login_of(basic | capability::plugin_auth, fields);
  const auto login = parse_login(payload);
  REQUIRE(login);
  CHECK(login->plugin == plugin);
}

TEST_CASE("an attribute that does not fit hides itself and those behind it, not those before it") {
  const Buffer payload = login_of(basic | capability::connect_attributes,
                                  from_hex("6200 00 0a 0161 0178 0162 05 79 0163 01"));
  const auto login = parse_login(payload);
  REQUIRE(login);
  CHECK(login->attribute("a") == "x");
  CHECK_FALSE(login->attribute("b"));
  CHECK_FALSE(login->attribute("c"));
}

TEST_CASE("of an attribute given twice the first counts") {
  const Buffer payload =
      login_of(basic | capability::connect_attributes, from_hex("6200 00 08 0161 0178 0161 0179"));
  const auto login = parse_login(payload);
  REQUIRE(login);
  CHECK(login->attribute("a") == "x");
}

TEST_CASE("quotes around a user are taken off as MariaDB does") {
  const auto [sent, user] = GENERATE(table<std::string_view, std::string_view>({
      {"'root'", "root"},
      {"''root''", "'root'"},
      {"''", ""},
      {"'", "'"},
      {"o'neil", "o'neil"},
      {"'root", "'root"},
  }));
  Buffer fields;
  append_text_and_nul(fields, sent);
  append_u8(fields, 0);
  const Buffer payload = login_of(basic, fields);
  const auto login = parse_login(payload);
  REQUIRE(login);
  CHECK(login->user == user);
}

TEST_CASE("setting a login's capabilities changes their words and nothing else") {
  Buffer payload = client_login();
  const std::uint64_t wanted = parse_login(payload)->prefix.capabilities &
                               ~capability::local_files & ~capability::bulk_statements;
  set_login_capabilities(payload, wanted);
  const auto login = parse_login(payload);
  REQUIRE(login);
  CHECK(login->prefix.capabilities == wanted);
  CHECK(login->user == "alice");

  set_login_capabilities(payload, 0x1D'00BFA28CU);
  CHECK(payload == client_login());
}

TEST_CASE("the gateway's own SSLRequest carries the client's prefix and asks for TLS") {
  const auto from_client = parse_login(client_login())->prefix;
  Buffer packet;
  append_ssl_request(packet, 1, from_client);
  CHECK(packet[3] == 1);
  const Bytes payload = payload_of(packet);
  CHECK(Buffer(payload.begin(), payload.end()) == client_ssl_request());
}

TEST_CASE("the login of the absent user has every field that its capabilities announce") {
  const auto capabilities = GENERATE(values<std::uint64_t>({
      0x1D'00BFAA8CU,
      basic,
      capability::protocol_41,
      basic | capability::plugin_auth | capability::mysql,
      basic | capability::connect_with_db | capability::connect_attributes,
      basic | capability::plugin_auth_lenenc | capability::connect_attributes,
  }));
  Buffer packet;
  append_absent_login(packet, 2, {.capabilities = capabilities, .max_packet = 1, .charset = 45});
  CHECK(packet[3] == 2);
  const auto login = parse_login(payload_of(packet));
  REQUIRE(login);
  CHECK(login->prefix.capabilities == capabilities);
  CHECK(login->prefix.charset == 45);
  CHECK(login->user == absent_user);
  CHECK(login->auth.empty());
  CHECK(login->database.empty());
  CHECK(login->attributes.empty());
  const bool names_plugin = (capabilities & capability::plugin_auth) != 0;
  CHECK(login->plugin ==
        (names_plugin ? std::optional<std::string_view>("mysql_native_password") : std::nullopt));
}

TEST_CASE("a routed login is the client's, but for the user, the answer and the plugin") {
  const Buffer from_client = client_login();
  const auto client = parse_login(from_client);
  REQUIRE(client);
  Buffer packet{0xAA};
  append_routed_login(packet, 2, *client, client->prefix, "alice");
  const Bytes payload = payload_of(Bytes(packet).subspan(1));
  CHECK(packet[1 + 3] == 2);
  const auto login = parse_login(payload);
  REQUIRE(login);
  CHECK(login->prefix.capabilities == client->prefix.capabilities);
  CHECK(login->prefix.max_packet == 0x10000000);
  CHECK(login->prefix.charset == 33);
  CHECK(login->user == "alice");
  CHECK(as_text(login->auth) == "?");
  CHECK(login->database == "shop");
  CHECK(login->plugin == unknown_plugin);
  CHECK(as_text(login->attributes) == as_text(client->attributes));
  test::for_each_prefix(payload, [](Bytes prefix) { CHECK_FALSE(parse_login(prefix)); });
}

TEST_CASE("a routed login has every field that its capabilities announce, and names a plugin") {
  const auto capabilities = GENERATE(values<std::uint64_t>({
      basic,
      capability::protocol_41,
      basic | capability::mysql | capability::plugin_auth_lenenc,
      basic | capability::connect_with_db,
      basic | capability::connect_attributes | capability::plugin_auth_lenenc,
  }));
  const auto auth = GENERATE(values<Buffer>({{}, {1}, Buffer(20, 0), Buffer(300, 'x')}));
  const Buffer attributes = from_hex("0161 0178");
  const Login client{.prefix = {},
                     .user = "alice@orders",
                     .auth = auth,
                     .database = "shop",
                     .plugin = "client_ed25519",
                     .attributes = attributes};
  Buffer packet;
  append_routed_login(packet, 1, client,
                      {.capabilities = capabilities, .max_packet = 1, .charset = 45}, "alice");
  const auto login = parse_login(payload_of(packet));
  REQUIRE(login);
  CHECK(login->prefix.capabilities == (capabilities | capability::plugin_auth));
  CHECK(login->prefix.charset == 45);
  CHECK(login->user == "alice");
  CHECK(login->auth.empty() == auth.empty());
  CHECK(login->database == ((capabilities & capability::connect_with_db) != 0 ? "shop" : ""));
  CHECK(login->plugin == unknown_plugin);
  CHECK(login->attributes.empty() == ((capabilities & capability::connect_attributes) == 0));
}

TEST_CASE("the backend reads a routed login's user as it was meant, quotes and all") {
  const auto user =
      GENERATE(values<std::string_view>({"", "'", "''", "'root'", "''q''", "o'neil"}));
  Buffer packet;
  append_routed_login(packet, 1, Login{}, {.capabilities = basic}, user);
  const auto login = parse_login(payload_of(packet));
  REQUIRE(login);
  CHECK(login->user == user);
}

TEST_CASE("a client may have every character set but those MariaDB's parser cannot read") {
  // latin1, utf8mb3, utf8mb4, binary, and MariaDB's own number for "what the server has".
  for (const int charset : {8, 33, 45, 63, 0, 224, 255}) {
    CAPTURE(charset);
    CHECK(is_client_charset(static_cast<std::uint8_t>(charset)));
  }
  // filename, ucs2, utf16, utf16le, utf32: the first and last of each of their runs.
  for (const int charset :
       {17, 35, 90, 128, 151, 159, 54, 55, 101, 124, 56, 62, 60, 61, 160, 183}) {
    CAPTURE(charset);
    CHECK_FALSE(is_client_charset(static_cast<std::uint8_t>(charset)));
  }
}

}  // namespace gatehouse::mariadb
