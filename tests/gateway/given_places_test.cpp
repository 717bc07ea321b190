#include "gateway/given_places.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "gateway/host_id.h"
#include "tests/gateway/state_fixture.h"

namespace gatehouse {
namespace {

namespace fs = std::filesystem;

constexpr const char* one_text = "1be24c8d-7093-4000-8000-000000000001";
constexpr const char* other_text = "1be24c8d-7093-4000-8000-000000000002";

struct Fixture : StateFixture<GivenPlaces> {
  cassandra::Uuid one = *host_id_in(one_text);
  cassandra::Uuid other = *host_id_in(other_text);

  Fixture() : StateFixture("node-places.json") {}
};

TEST_CASE_METHOD(Fixture, "without a file no node has a place, and none is written for nothing",
                 "[given places]") {
  GivenPlaces places = start();
  CHECK(places.of("public").empty());
  CHECK(places.store().empty());
  CHECK_FALSE(fs::exists(state));
}

TEST_CASE_METHOD(Fixture, "places are there after a restart, also of listeners that are gone",
                 "[given places]") {
  GivenPlaces places = start();
  places.of("public")[one] = {.place = std::uint16_t{19042}, .left = std::nullopt};
  places.of("public")[other] = {.place = std::uint16_t{19043},
                                .left = rules::Time{std::chrono::seconds{1}}};
  places.of("private")[one] = {.place = *rules::IpAddress::parse("2001:db8::1"),
                               .left = std::nullopt};
  REQUIRE(places.store().empty());
  CHECK(text_of(file) ==
        R"({"version":1,"listeners":{"private":{)"
        R"("1be24c8d-7093-4000-8000-000000000001":{"address":"2001:db8::1","left":null}},)"
        R"("public":{)"
        R"("1be24c8d-7093-4000-8000-000000000001":{"port":19042,"left":null},)"
        R"("1be24c8d-7093-4000-8000-000000000002":)"
        R"({"port":19043,"left":"1970-01-01T00:00:01Z"}}}})"
        "\n");

  GivenPlaces next = start();
  CHECK(next.of("public") == places.of("public"));
  next.of("public").erase(other);
  REQUIRE(next.store().empty());
  GivenPlaces last = start();
  CHECK(last.of("public").size() == 1);
  CHECK(last.of("private") == places.of("private"));
}

TEST_CASE_METHOD(Fixture, "what is on disk already is not written again", "[given places]") {
  GivenPlaces places = start();
  places.of("public")[one] = {.place = std::uint16_t{19042}, .left = std::nullopt};
  REQUIRE(places.store().empty());
  fs::remove(file);
  static_cast<void>(places.of("another"));
  CHECK(places.store().empty());
  CHECK_FALSE(fs::exists(file));
  GivenPlaces next = start();
  static_cast<void>(next.of("another"));
  CHECK(next.store().empty());
  CHECK_FALSE(fs::exists(file));
}

TEST_CASE_METHOD(Fixture, "what the disk refuses is said, and written once it can be",
                 "[given places]") {
  GivenPlaces places = start();
  places.of("public")[one] = {.place = std::uint16_t{19042}, .left = std::nullopt};
  write_text(state, "in the way");
  CHECK_THAT(places.store(), Catch::EndsWith("Not a directory"));
  fs::remove(state);
  fs::create_directories(file);
  CHECK_THAT(places.store(), Catch::EndsWith("Is a directory"));
  fs::remove(file);
  CHECK(places.store().empty());
  CHECK(start().of("public") == places.of("public"));
}

TEST_CASE_METHOD(Fixture, "a file of places that is not one of ours is an error",
                 "[given places]") {
  const auto of = [](std::string_view nodes) {
    return R"({"version":1,"listeners":{"public":{)" + std::string(nodes) + "}}}\n";
  };
  const auto node = [&](std::string_view fields) {
    return of("\"" + std::string(one_text) + "\":{" + std::string(fields) + "}");
  };
  const std::string good = R"("port":19042,"left":null)";
  write(node(good));
  REQUIRE(start().of("public").size() == 1);
  const std::vector<std::string> bad{
      "",
      "null",
      "{}",
      R"({"version":1})",
      R"({"version":2,"listeners":{}})",
      R"({"version":1,"listeners":[]})",
      R"({"version":1,"listeners":{},"more":1})",
      R"({"version":1,"listeners":{"public":[]}})",
      R"({"version":1,"listeners":{"":{}}})",
      R"({"version":1,"listeners":{"pub\nlic":{}}})",
      node(good).substr(0, 60),
      of(R"("one":{)" + good + "}"),
      of(R"("1BE24C8D-7093-4000-8000-000000000001":{)" + good + "}"),
      of(R"("{1be24c8d-7093-4000-8000-000000000001}":{)" + good + "}"),
      of(R"("1be24c8d-7093-4000-8000-00000000000":{)" + good + "}"),
      of(R"("1be24c8d-7093-4000-8000-000000000001":19042)"),
      of(R"("1be24c8d-7093-4000-8000-000000000001":{"port":19042,"left":null},)"
         R"("1be24c8d-7093-4000-8000-000000000002":{"port":19042,"left":null})"),
      node(R"("port":19042)"),
      node(R"("left":null)"),
      node(R"("port":0,"left":null)"),
      node(R"("port":65536,"left":null)"),
      node(R"("port":-1,"left":null)"),
      node(R"("port":"19042","left":null)"),
      node(R"("port":19042,"left":1)"),
      node(R"("port":19042,"left":"yesterday")"),
      node(R"("port":19042,"left":null,"more":1)"),
      node(R"("port":19042,"address":"192.0.2.1","left":null)"),
      node(R"("address":"somewhere","left":null)"),
      node(R"("address":1,"left":null)"),
      std::string(100000, '['),
      node(good) + std::string(8 << 20, '\n'),
  };
  for (const std::string& text : bad) {
    INFO(text.substr(0, 200));
    write(text);
    const Found found = restart();
    CHECK_FALSE(found.stored);
    CHECK_THAT(found.complaint,
               Catch::StartsWith("state/node-places.json:1:1: error: cannot tell which nodes' "
                                 "ports are whose: "));
    CHECK_THAT(found.complaint, Catch::Contains("\n  hint: "));
  }
}

}  // namespace
}  // namespace gatehouse
