#include "gateway/admin/session_filter.h"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

namespace gatehouse {
namespace {

SessionRecord record() {
  SessionRecord record;
  record.session = SessionId{0x0123456789ABCDEFU};
  record.server = "orders";
  record.source.address = rules::IpAddress::parse("10.1.2.3").value();
  record.user = "anna";
  record.rule = AuditRule{"office-hours", "rules/orders.yaml", 4};
  return record;
}

SessionFilter filter(std::string_view request) {
  std::string error;
  const auto parsed =
      SessionFilter::parse(boost::json::parse({request.data(), request.size()}).as_object(), error);
  INFO(error);
  REQUIRE(parsed);
  CHECK(error.empty());
  return *parsed;
}

std::string error_of(std::string_view request) {
  std::string error;
  CHECK_FALSE(SessionFilter::parse(boost::json::parse({request.data(), request.size()}).as_object(),
                                   error));
  return error;
}

TEST_CASE("each part of a filter matches what it names, and nothing else", "[filter]") {
  struct Case {
    std::string_view matching;
    std::string_view other;
  };
  const auto example =
      GENERATE(Case{R"({"session": "0123456789abcdef"})", R"({"session": "0123456789abcdee"})"},
               Case{R"({"server": "orders"})", R"({"server": "order"})"},
               Case{R"({"from": "10.1.2.3"})", R"({"from": "10.1.2.4"})"},
               Case{R"({"from": "10.1.0.0/16"})", R"({"from": "10.2.0.0/16"})"},
               Case{R"({"from": "10.1.2.0-10.1.2.3"})", R"({"from": "::/0"})"},
               Case{R"({"user": "anna"})", R"({"user": "Anna"})"},
               Case{R"({"rule": "office-hours"})", R"({"rule": "office"})"});
  CAPTURE(example.matching, example.other);
  CHECK(filter(example.matching).matches(record()));
  CHECK_FALSE(filter(example.other).matches(record()));
  CHECK_FALSE(filter(example.matching).means_all());
}

TEST_CASE("a session that no rule let in matches no rule", "[filter]") {
  auto without_rule = record();
  without_rule.rule.reset();
  CHECK_FALSE(filter(R"({"rule": "office-hours"})").matches(without_rule));
  CHECK_FALSE(filter(R"({"rule": ""})").matches(without_rule));
}

TEST_CASE("every part that is given has to match", "[filter]") {
  CHECK(filter(R"({"session": "0123456789abcdef", "server": "orders", "from": "10.0.0.0/8",
                   "user": "anna", "rule": "office-hours"})")
            .matches(record()));
  CHECK_FALSE(filter(R"({"server": "orders", "user": "otto"})").matches(record()));
  CHECK_FALSE(filter(R"({"user": "anna", "from": "192.0.2.0/24"})").matches(record()));
}

TEST_CASE("a filter without parts means all sessions", "[filter]") {
  CHECK(filter("{}").means_all());
  CHECK(filter(R"({"command": "kill"})").means_all());
  CHECK(filter("{}").matches(record()));
}

TEST_CASE("a part that cannot be read is an error, never ignored", "[filter]") {
  CHECK(error_of(R"({"session": "123"})") ==
        "'123' is not a session: it has 16 hexadecimal digits");
  CHECK(error_of(R"({"session": "0123456789ABCDEF"})") ==
        "'0123456789ABCDEF' is not a session: it has 16 hexadecimal digits");
  CHECK(error_of(R"({"from": "10.1.2"})") == "'10.1.2' is not an address, a block or a range");
  CHECK(error_of(R"({"from": "10.1.2.3/8"})") ==
        "'10.1.2.3/8' is not an address, a block or a range");
  CHECK(error_of(R"({"from": ""})") == "'' is not an address, a block or a range");
  CHECK(error_of(R"({"usr": "anna"})") == "unknown key 'usr'");
  CHECK(error_of(R"({"user": 7})") == "'user' must be text");
  CHECK(error_of(R"({"server": ["orders"]})") == "'server' must be text");
  CHECK(error_of(R"({"session": null})") == "'session' must be text");
  CHECK(error_of(R"({"rule": true, "server": "orders"})") == "'rule' must be text");
}

}  // namespace
}  // namespace gatehouse
