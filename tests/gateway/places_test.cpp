#include "gateway/places.h"

#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace gatehouse {
namespace {

// Caps no test reaches, but for the one it sets.
config::Limits wide_limits() {
  config::Limits limits;
  limits.sessions = 1000;
  limits.sessions_per_source = 1000;
  limits.handshakes = 1000;
  return limits;
}

SourceKey source(std::uint32_t number, std::string network = "office") {
  return {std::move(network), rules::IpAddress::v4(0x0A000000U + number)};
}

struct Fixture {
  config::Limits limits = wide_limits();
  Places places;
  std::atomic<std::uint32_t> handshakes{0};
  std::atomic<std::uint32_t> server{0};
  std::uint32_t server_max = 0;

  // As a session does whose server is known from the start.
  std::variant<Place, Cap> try_to_take(SourceKey from) {
    auto taken = places.take(limits, std::move(from), handshakes);
    if (Place* place = std::get_if<Place>(&taken)) {
      if (!place->take_server(server, server_max)) return Cap::max_sessions;
    }
    return taken;
  }
  std::optional<Place> take(SourceKey from) {
    auto taken = try_to_take(std::move(from));
    if (Place* place = std::get_if<Place>(&taken)) return std::move(*place);
    return std::nullopt;
  }
  Cap reached(SourceKey from) { return std::get<Cap>(try_to_take(std::move(from))); }
};

TEST_CASE_METHOD(Fixture, "who gets no place learns which cap is reached", "[places]") {
  const auto one = take(source(1));
  SECTION("of a source") {
    limits.sessions_per_source = 1;
    CHECK(to_string(reached(source(1))) == "sessions_per_source");
  }
  SECTION("of all sessions") {
    limits.sessions = 1;
    CHECK(to_string(reached(source(2))) == "sessions");
  }
  SECTION("of handshakes") {
    limits.handshakes = 1;
    CHECK(to_string(reached(source(2))) == "handshakes");
  }
  SECTION("of a server") {
    server_max = 1;
    CHECK(to_string(reached(source(2))) == "max_sessions");
  }
}

TEST_CASE_METHOD(Fixture, "handshakes on one listener leave others their room", "[places]") {
  limits.handshakes = 1;
  std::atomic<std::uint32_t> other{0};
  const auto one = take(source(1));
  REQUIRE(one);
  CHECK_FALSE(take(source(2)));
  CHECK(std::holds_alternative<Place>(places.take(limits, source(2), other)));
}

TEST_CASE_METHOD(Fixture, "a place counts for no server until it has one", "[places]") {
  auto taken = places.take(limits, source(1), handshakes);
  {
    Place place = std::get<Place>(std::move(taken));
    CHECK(server == 0);
    REQUIRE(place.take_server(server, 1));
    CHECK(server == 1);
  }
  CHECK(server == 0);
}

TEST_CASE_METHOD(Fixture, "there are no more sessions than the cap in all", "[places]") {
  limits.sessions = 2;
  auto one = take(source(1));
  const auto two = take(source(2));
  REQUIRE(one);
  REQUIRE(two);
  CHECK_FALSE(take(source(3)));
  one.reset();
  CHECK(take(source(3)));
}

TEST_CASE_METHOD(Fixture, "a source that is at its cap leaves room for others", "[places]") {
  limits.sessions_per_source = 2;
  const auto one = take(source(1));
  auto two = take(source(1));
  REQUIRE(one);
  REQUIRE(two);
  CHECK_FALSE(take(source(1)));
  CHECK(take(source(2)));
  two.reset();
  CHECK(take(source(1)));
}

TEST_CASE_METHOD(Fixture, "one address in two networks is two sources", "[places]") {
  limits.sessions_per_source = 1;
  const auto office = take(source(1, "office"));
  const auto plant = take(source(1, "plant"));
  const auto nowhere = take(source(1, ""));
  CHECK(office);
  CHECK(plant);
  CHECK(nowhere);
  CHECK_FALSE(take(source(1, "plant")));
}

TEST_CASE_METHOD(Fixture, "an IPv4 address and the IPv6 one of the same number are two sources",
                 "[places]") {
  limits.sessions_per_source = 1;
  const auto v4 = take({"office", rules::IpAddress::v4(7)});
  const auto v6 = take({"office", rules::IpAddress::parse("::7").value()});
  CHECK(v4);
  CHECK(v6);
}

TEST_CASE_METHOD(Fixture, "each server has a cap of its own", "[places]") {
  std::atomic<std::uint32_t> other{0};
  server_max = 1;
  const auto on_server = take(source(1));
  REQUIRE(on_server);
  CHECK_FALSE(take(source(2)));
  auto on_other = places.take(limits, source(2), handshakes);
  CHECK(std::get<Place>(on_other).take_server(other, 1));
}

TEST_CASE_METHOD(Fixture, "a server's cap of 0 is none", "[places]") {
  std::vector<std::optional<Place>> taken;
  for (std::uint32_t number = 0; number < 100; ++number) {
    taken.push_back(take(source(number)));
    CHECK(taken.back());
  }
  CHECK(server == 100);
}

TEST_CASE_METHOD(Fixture, "a session that is established no longer counts as a handshake",
                 "[places]") {
  limits.handshakes = 1;
  auto one = take(source(1));
  REQUIRE(one);
  CHECK_FALSE(take(source(2)));
  one->established();
  one->established();
  auto two = take(source(2));
  REQUIRE(two);
  CHECK_FALSE(take(source(3)));

  SECTION("and gives back no handshake that is another's when it goes") {
    one.reset();
    CHECK_FALSE(take(source(3)));
  }
  SECTION("while one that goes before gives its back") {
    two.reset();
    CHECK(take(source(3)));
  }
}

TEST_CASE_METHOD(Fixture, "a place that is moved is given back once, by its last owner",
                 "[places]") {
  limits.sessions = 1;
  auto first = take(source(1));
  REQUIRE(first);
  {
    const Place moved = std::move(*first);
    first.reset();
    CHECK(server == 1);
    CHECK_FALSE(take(source(1)));
  }
  CHECK(server == 0);
  CHECK(take(source(1)));
}

TEST_CASE_METHOD(Fixture, "a place that is assigned to gives back what it held", "[places]") {
  limits.sessions_per_source = 1;
  auto kept = take(source(1));
  auto taken_over = take(source(2));
  REQUIRE(kept);
  REQUIRE(taken_over);
  *kept = std::move(*taken_over);
  taken_over.reset();
  CHECK(server == 1);
  CHECK(take(source(1)));
  CHECK_FALSE(take(source(2)));
  kept.reset();
  CHECK(server == 0);
  CHECK(take(source(2)));
}

TEST_CASE_METHOD(Fixture, "a refusal leaves no count behind", "[places]") {
  std::optional<Place> holder;
  SECTION("of the cap in all") {
    limits.sessions = 1;
    holder = take(source(1));
    for (int attempt = 0; attempt < 3; ++attempt) CHECK_FALSE(take(source(2)));
  }
  SECTION("of the handshakes") {
    limits.handshakes = 1;
    holder = take(source(1));
    for (int attempt = 0; attempt < 3; ++attempt) CHECK_FALSE(take(source(2)));
  }
  SECTION("of the server") {
    server_max = 1;
    holder = take(source(1));
    for (int attempt = 0; attempt < 3; ++attempt) CHECK_FALSE(take(source(2)));
  }
  SECTION("of the source") {
    limits.sessions_per_source = 1;
    holder = take(source(2));
    for (int attempt = 0; attempt < 3; ++attempt) CHECK_FALSE(take(source(2)));
  }
  CHECK(server == 1);
  holder.reset();
  CHECK(server == 0);
  // Every cap is now exactly what is needed: anything left over would refuse one of the two.
  limits.sessions = limits.handshakes = limits.sessions_per_source = server_max = 2;
  const auto one = take(source(2));
  const auto two = take(source(2));
  CHECK(one);
  CHECK(two);
}

TEST_CASE_METHOD(Fixture, "a cap holds while several workers take and give back", "[places]") {
  limits.sessions = 6;
  limits.handshakes = 5;
  limits.sessions_per_source = 2;
  server_max = 4;
  std::atomic<std::uint32_t> live{0};
  std::atomic<bool> broken{false};
  std::atomic<std::uint32_t> let_in{0};
  {
    std::vector<std::jthread> workers;
    for (std::uint32_t worker = 0; worker < 4; ++worker) {
      workers.emplace_back([&, worker] {
        for (std::uint32_t turn = 0; turn < 2000; ++turn) {
          auto one = take(source((worker + turn) % 3));
          auto two = take(source(turn % 3));
          const std::uint32_t mine = (one ? 1U : 0U) + (two ? 1U : 0U);
          if (live.fetch_add(mine) + mine > server_max) broken = true;
          let_in += mine;
          if (one) one->established();
          live.fetch_sub(mine);
        }
      });
    }
  }
  CHECK_FALSE(broken);
  CHECK(let_in > 0);
  CHECK(server == 0);
  limits.sessions = limits.handshakes = server_max = 6;
  std::vector<std::optional<Place>> all;
  for (std::uint32_t number = 0; number < 6; ++number) {
    all.push_back(take(source(number % 3)));
    CHECK(all.back());
  }
}

}  // namespace
}  // namespace gatehouse
