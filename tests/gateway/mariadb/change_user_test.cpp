#include "gateway/mariadb/change_user.h"

#include <string>

#include <catch2/catch.hpp>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/packet.h"
#include "tests/gateway/mariadb/packets.h"

namespace gatehouse::mariadb {

using test::Buffer;
using test::change_user;
using test::from_hex;
using test::payload_of;

namespace {

constexpr std::uint64_t basic = capability::protocol_41 | capability::secure_connection;
constexpr std::uint64_t with_lenenc = basic | capability::plugin_auth_lenenc;
constexpr std::uint64_t with_plugin = basic | capability::plugin_auth;
constexpr std::uint64_t with_attributes = basic | capability::connect_attributes;
constexpr std::uint64_t everything =
    with_lenenc | capability::plugin_auth | capability::connect_attributes;

// What was written, parsed by the reader's capabilities. It lives as long as this object.
class Written {
 public:
  Written(const ChangeUser& change, std::string_view user, std::uint64_t capabilities) {
    append_change_user(packet_, change, user, capabilities);
    change_ = parse_change_user(payload_of(packet_), capabilities);
    REQUIRE(change_);
  }
  const ChangeUser* operator->() const { return &*change_; }
  [[nodiscard]] const Buffer& packet() const { return packet_; }

 private:
  Buffer packet_;
  std::optional<ChangeUser> change_;
};

}  // namespace

TEST_CASE("a change of user says who, how, where to and with what program") {
  const Buffer payload = change_user();
  const auto change = parse_change_user(payload, everything);
  REQUIRE(change);
  CHECK(change->user == "bob@orders");
  CHECK(change->auth.size() == 20);
  CHECK(change->database == "shop");
  CHECK(change->charset == 33);
  CHECK(change->plugin == "mysql_native_password");
  CHECK(change->attribute("program_name") == "mysql");
  CHECK(change->attribute("_server_host") == "orders.example.com");
  CHECK_FALSE(change->attribute("mysql"));
}

TEST_CASE("no prefix of a change of user with attributes is one") {
  test::for_each_prefix(change_user(),
                        [](Bytes prefix) { CHECK_FALSE(parse_change_user(prefix, everything)); });
}

TEST_CASE("no prefix of a change of user before the end of its database is one") {
  const Buffer payload = from_hex("11 626f6200 02 aabb 00");
  REQUIRE(parse_change_user(payload, basic));
  test::for_each_prefix(payload,
                        [](Bytes prefix) { CHECK_FALSE(parse_change_user(prefix, basic)); });
}

TEST_CASE("an answer within a change of user has a length, or ends with a NUL") {
  struct Case {
    std::string_view name;
    std::uint64_t capabilities;
    Buffer auth;
    std::size_t size;
  };
  const auto sized = [](std::size_t size, std::uint8_t length) {
    Buffer auth{length};
    auth.insert(auth.end(), size, 'x');
    return auth;
  };
  const auto c = GENERATE_COPY(values<Case>({
      {"none", basic, from_hex("00"), 0},
      {"the longest with one byte of length", basic, sized(255, 255), 255},
      {"the longest with a length that is the same in both forms", with_lenenc, sized(250, 250),
       250},
      {"up to a NUL", capability::protocol_41, from_hex("78787800"), 3},
      {"up to a NUL, whatever is announced besides",
       capability::protocol_41 | capability::plugin_auth_lenenc, from_hex("78787800"), 3},
  }));
  CAPTURE(c.name);
  Buffer payload = from_hex("11 626f6200");
  append_bytes(payload, c.auth);
  append_bytes(payload, from_hex("73686f7000 2d00"));
  const auto change = parse_change_user(payload, c.capabilities);
  REQUIRE(change);
  CHECK(change->auth.size() == c.size);
  CHECK(change->database == "shop");
  CHECK(change->charset == 45);
}

TEST_CASE("a change of user with one lie in it is none") {
  struct Case {
    std::string_view name;
    std::uint64_t capabilities;
    Buffer payload;
  };
  const auto c = GENERATE_COPY(values<Case>({
      {"another command", basic, from_hex("12 6200 00 00 2100")},
      {"a user without an end", basic, from_hex("11 626f62")},
      {"no answer", basic, from_hex("11 6200")},
      {"an answer longer than the packet", basic, from_hex("11 6200 04 616263")},
      {"an answer without an end", capability::protocol_41, from_hex("11 6200 616263")},
      {"no database", basic, from_hex("11 6200 00")},
      {"half a charset", basic, from_hex("11 6200 00 00 21")},
      {"no plugin", with_plugin, from_hex("11 6200 00 00 2100")},
      {"neither charset nor plugin", with_plugin, from_hex("11 6200 00 00")},
      {"no attributes", with_attributes, from_hex("11 6200 00 00 2100")},
      {"attributes longer than the packet", with_attributes, from_hex("11 6200 00 00 2100 02 00")},
  }));
  CAPTURE(c.name);
  CHECK_FALSE(parse_change_user(c.payload, c.capabilities));
}

TEST_CASE("an answer whose length servers read in two ways makes a change of user none") {
  Buffer payload = from_hex("11 6200");
  payload.push_back(GENERATE(as<std::uint8_t>(), 251, 252, 253, 254, 255));
  payload.resize(600, 0);
  CHECK_FALSE(parse_change_user(payload, with_lenenc));
  CHECK(parse_change_user(payload, basic));
}

TEST_CASE("what follows the last field that is announced is not looked at") {
  const Buffer payload = from_hex("11 6200 00 00 2100 616263");
  const auto change = parse_change_user(payload, basic);
  REQUIRE(change);
  CHECK_FALSE(change->plugin);
  CHECK(change->attributes.empty());
}

TEST_CASE("attributes of a change of user may be 64 KiB less one byte, and no more") {
  const auto [size, accepted] =
      GENERATE(table<std::size_t, bool>({{0xFFFF, true}, {0x10000, false}}));
  Buffer payload = from_hex("11 6200 00 00 2100");
  append_lenenc_bytes(payload, Buffer(size, 0));
  CHECK(parse_change_user(payload, with_attributes).has_value() == accepted);
}

TEST_CASE("a change of user is written as another user and the same otherwise") {
  const Buffer payload = change_user();
  const auto change = parse_change_user(payload, everything);
  REQUIRE(change);
  SECTION("the same user: byte for byte") {
    const Written written(*change, "bob@orders", everything);
    CHECK(written.packet()[3] == 0);
    const Bytes again = payload_of(written.packet());
    CHECK(Buffer(again.begin(), again.end()) == payload);
  }
  SECTION("another user") {
    const Written written(*change, "bob", everything);
    CHECK(written->user == "bob");
    CHECK(as_text(written->auth) == as_text(change->auth));
    CHECK(written->database == "shop");
    CHECK(written->charset == 33);
    CHECK(written->plugin == "mysql_native_password");
    CHECK(as_text(written->attributes) == as_text(change->attributes));
  }
  SECTION("quotes stay: MariaDB reads them as part of the name here") {
    CHECK(Written(*change, "'bob'", everything)->user == "'bob'");
  }
}

TEST_CASE("a change of user gets the plugin that only the backend was promised") {
  const Buffer payload = from_hex("11 6200 03 616263 00");
  const auto change = parse_change_user(payload, basic);
  REQUIRE(change);
  const Written written(*change, "b", with_plugin);
  CHECK(written->plugin == "mysql_native_password");
  CHECK(as_text(written->auth) == "abc");
  CHECK(written->charset == 0);
}

TEST_CASE("a change of user is written in the form that it was read in") {
  const auto capabilities = GENERATE(as<std::uint64_t>(), capability::protocol_41, basic,
                                     with_lenenc, with_plugin, everything);
  const ChangeUser change{.user = "a",
                          .auth = bytes_of("abc"),
                          .database = "shop",
                          .charset = 45,
                          .plugin = "client_ed25519",
                          .attributes = bytes_of("\1a\1x")};
  const Written written(change, "b", capabilities);
  CHECK(written->user == "b");
  CHECK(as_text(written->auth) == "abc");
  CHECK(written->database == "shop");
  CHECK(written->charset == 45);
  CHECK(written->plugin.has_value() == ((capabilities & capability::plugin_auth) != 0));
  CHECK(written->attribute("a").has_value() ==
        ((capabilities & capability::connect_attributes) != 0));
}

}  // namespace gatehouse::mariadb
