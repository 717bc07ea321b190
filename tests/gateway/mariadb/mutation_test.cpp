// Every parser on packets that are almost right. What it proves is that nothing reads beyond the
// packet (run it with the sanitizers); the fuzz targets in tests/fuzz/ go on from here.
#include <optional>
#include <random>

#include <catch2/catch.hpp>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/change_user.h"
#include "gateway/mariadb/greeting.h"
#include "gateway/mariadb/login.h"
#include "gateway/mariadb/reply.h"
#include "tests/gateway/mariadb/packets.h"

namespace gatehouse::mariadb {

using test::Buffer;

namespace {

constexpr int rounds = 20'000;

// Overwrites, removes, repeats or cuts, up to four times.
Buffer mutated(const Buffer& original, std::mt19937& random) {
  const auto below = [&random](std::size_t limit) { return random() % limit; };
  Buffer bytes = original;
  const std::size_t changes = 1 + below(4);
  for (std::size_t change = 0; change < changes && !bytes.empty(); ++change) {
    const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size()));
    switch (below(4)) {
      case 0:
        *at = static_cast<std::uint8_t>(random());
        break;
      case 1:
        bytes.erase(at);
        break;
      case 2:
        bytes.insert(at, *at);
        break;
      default:
        bytes.erase(at, bytes.end());
    }
  }
  bytes.shrink_to_fit();
  return bytes;
}

bool lies_within(std::string_view part, Bytes whole) {
  const std::string_view text = as_text(whole);
  return part.empty() ||
         (part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size());
}

}  // namespace

TEST_CASE("a greeting that is almost right can be relayed or is none") {
  std::mt19937 random(1);
  for (int round = 0; round < rounds; ++round) {
    Buffer payload = mutated(test::mariadb_greeting(), random);
    const auto greeting = parse_greeting(payload);
    if (!greeting) continue;
    const std::uint64_t wanted = greeting->capabilities | capability::ssl;
    set_capabilities(payload, *greeting, wanted);
    const auto relayed = parse_greeting(payload);
    REQUIRE(relayed);
    REQUIRE(relayed->capabilities == wanted);
    REQUIRE(relayed->scramble == greeting->scramble);
    REQUIRE(relayed->plugin == greeting->plugin);
  }
}

TEST_CASE("a login that is almost right shows nothing from outside its packet") {
  std::mt19937 random(2);
  for (int round = 0; round < rounds; ++round) {
    const Buffer payload = mutated(test::client_login(), random);
    static_cast<void>(parse_ssl_request(payload));
    const auto login = parse_login(payload);
    if (!login) continue;
    REQUIRE(lies_within(login->user, payload));
    REQUIRE(lies_within(as_text(login->auth), payload));
    REQUIRE(lies_within(login->database, payload));
    REQUIRE(lies_within(login->plugin.value_or(""), payload));
    REQUIRE(lies_within(login->attribute("program_name").value_or(""), payload));
  }
}

TEST_CASE("a change of user that is almost right shows nothing from outside its packet") {
  std::mt19937 random(4);
  for (int round = 0; round < rounds; ++round) {
    const Buffer payload = mutated(test::change_user(), random);
    const auto change = parse_change_user(payload, 0x1D'00BFA28C);
    if (!change) continue;
    REQUIRE(lies_within(change->user, payload));
    REQUIRE(lies_within(as_text(change->auth), payload));
    REQUIRE(lies_within(change->database, payload));
    REQUIRE(lies_within(change->plugin.value_or(""), payload));
    REQUIRE(lies_within(change->attribute("_server_host").value_or(""), payload));
  }
}

TEST_CASE("no reply that is almost right keeps its redirect") {
  Buffer ok = test::from_hex("00 00 00 0240 0000 00 2e 00 0d 0a6175746f636f6d6d6974 014e");
  append_bytes(ok,
               test::from_hex("00 1d 0c72656469726563745f75726c 0f6d6172696164623a2f2f782f787878"));
  constexpr std::uint64_t tracking = capability::session_track;
  const auto id = GENERATE(values<std::optional<std::uint32_t>>({std::nullopt, 7}));
  REQUIRE(rewrite_login_ok(ok, tracking, id).outcome == RewrittenOk::Outcome::changed);
  std::mt19937 random(3);
  for (int round = 0; round < rounds; ++round) {
    const Buffer payload = mutated(ok, random);
    static_cast<void>(classify_reply(payload));
    const auto result = rewrite_login_ok(payload, tracking, id);
    if (result.outcome != RewrittenOk::Outcome::changed) continue;
    REQUIRE(rewrite_login_ok(result.payload, tracking, std::nullopt).outcome ==
            RewrittenOk::Outcome::unchanged);
  }
}

}  // namespace gatehouse::mariadb
