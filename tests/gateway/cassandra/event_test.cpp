#include "gateway/cassandra/event.h"

#include <catch2/catch.hpp>

#include "gateway/cassandra/frame.h"
#include "tests/gateway/cassandra/frames.h"

namespace gatehouse::cassandra {

using test::Buffer;
using test::copy;
using test::from_hex;
using test::joined;

namespace {

Buffer content_of(std::string_view type, std::string_view change, std::string_view rest_in_hex) {
  Buffer content;
  append_string(content, type);
  append_string(content, change);
  append_bytes(content, from_hex(rest_in_hex));
  return content;
}

}  // namespace

TEST_CASE("an event says what happened to which node") {
  const auto [name, type] = GENERATE(table<std::string_view, Event::Type>({
      {"TOPOLOGY_CHANGE", Event::Type::topology_change},
      {"STATUS_CHANGE", Event::Type::status_change},
  }));
  const Buffer content = content_of(name, "NEW_NODE", "04 0a020004 00002352");
  const auto event = parse_event(content);
  REQUIRE(event);
  CHECK(event->type == type);
  CHECK(event->change == "NEW_NODE");
  CHECK(copy(event->address.bytes()) == from_hex("0a020004"));
  CHECK(event->port == 9042);
  test::for_each_prefix(content, [](Bytes prefix) { CHECK_FALSE(parse_event(prefix)); });
}

TEST_CASE("an event with one lie in it is none") {
  const auto rest = GENERATE(values<std::string_view>({
      "05 0a02000400 00002352",
      "04 0a020004 00002352 00",
      "04 0a020004 000023",
  }));
  CHECK_FALSE(parse_event(content_of("STATUS_CHANGE", "UP", rest)));
}

TEST_CASE("a change of definitions names no node, and of what is unknown nothing is known") {
  const auto schema = parse_event(content_of("SCHEMA_CHANGE", "CREATED", "0005 5441424c45"));
  REQUIRE(schema);
  CHECK(schema->type == Event::Type::schema_change);
  const auto unknown = parse_event(content_of("CLIENT_ROUTES_CHANGE", "x", ""));
  REQUIRE(unknown);
  CHECK(unknown->type == Event::Type::unknown);
}

TEST_CASE("an event of another address is a whole frame that nobody asked for") {
  const Event event{.type = Event::Type::status_change,
                    .change = "DOWN",
                    .address = *inet_address(from_hex("20010db8000000000000000000000001")),
                    .port = 19042};
  Buffer out;
  append_event(out, 4, event);
  const auto header = read_header(out, Sender::node);
  REQUIRE(header.outcome == HeaderRead::Outcome::header);
  CHECK(header.header.version == 4);
  CHECK(header.header.stream == -1);
  CHECK(header.header.opcode == opcode::event);
  CHECK(header.header.length == out.size() - header_size);
  const auto again = parse_event(Bytes(out).subspan(header_size));
  REQUIRE(again);
  CHECK(again->type == event.type);
  CHECK(again->change == event.change);
  CHECK(again->address == event.address);
  CHECK(again->port == event.port);
}

}  // namespace gatehouse::cassandra
