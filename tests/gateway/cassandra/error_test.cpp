#include "gateway/cassandra/error.h"

#include <catch2/catch.hpp>

#include "gateway/cassandra/frame.h"
#include "tests/gateway/cassandra/frames.h"

namespace gatehouse::cassandra {

using test::Buffer;
using test::copy;
using test::from_hex;
using test::joined;

namespace {

struct Heard {
  FrameHeader header;
  NodeError error;
};

// `frame` must outlive what is heard of it.
Heard hear(const Buffer& frame) {
  const auto read = read_header(frame, Sender::node);
  REQUIRE(read.outcome == HeaderRead::Outcome::header);
  REQUIRE(read.header.opcode == opcode::error);
  REQUIRE(read.header.length == frame.size() - header_size);
  const auto error = parse_error(Bytes(frame).subspan(header_size));
  REQUIRE(error);
  return {read.header, *error};
}

// 192.0.2.1 for every node.
InetAddress told(const InetAddress& node) {
  CHECK_FALSE(node == InetAddress{});  // of none that is not there
  return *inet_address(from_hex("c0000201"));
}

// A read that two nodes failed to answer, as v5 has it.
const Buffer failure_before_map = from_hex("0006 00000001 00000003");
const Buffer failure_nodes = from_hex("04 0a020004 0001  10 fd000000000000000000000000000007 0002");

}  // namespace

TEST_CASE("an ERROR answers its request, on its stream and in its version") {
  Buffer out;
  append_error(out, {.version = 4, .stream = 300}, error_code::bad_credentials, "No.");
  const Heard heard = hear(out);
  CHECK(heard.header.version == 4);
  CHECK(heard.header.stream == 300);
  CHECK(heard.header.flags == 0);
  CHECK(heard.error.code == 0x0100);
  CHECK(heard.error.message == "No.");
  CHECK(heard.error.details.empty());
}

TEST_CASE("UNPREPARED carries the id that is not known") {
  Buffer out;
  append_unprepared(out, {.version = 5, .stream = -5}, from_hex("0102030405"));
  const Heard heard = hear(out);
  CHECK(heard.header.stream == -5);
  CHECK(heard.error.code == 0x2500);
  CHECK(copy(heard.error.details) == from_hex("0005 0102030405"));
}

TEST_CASE("a version that is not spoken is refused in words that drivers look for") {
  const auto [version, answered_in] = GENERATE(table<std::uint8_t, int>({{66, 5}, {2, 5}, {6, 5}}));
  Buffer out;
  append_unsupported_version(out, {.version = version, .stream = 7}, version);
  const Heard heard = hear(out);
  CHECK(heard.header.version == answered_in);
  CHECK(heard.header.stream == 7);
  CHECK(heard.error.code == 0x000A);
  CHECK(heard.error.message == "Invalid or unsupported protocol version (" +
                                   std::to_string(version) +
                                   "); supported versions are (3/v3, 4/v4, 5/v5)");
}

TEST_CASE("no prefix of an ERROR's code and message is an ERROR") {
  Buffer content = from_hex("00002000 0003 616263");
  REQUIRE(parse_error(content));
  test::for_each_prefix(content, [](Bytes prefix) { CHECK_FALSE(parse_error(prefix)); });
}

TEST_CASE("in v5 the nodes that failed are told as what clients know them by") {
  const auto [code, behind] = GENERATE(table<std::uint32_t, Buffer>({
      {error_code::read_failure, from_hex("01")},
      {error_code::write_failure, from_hex("0006 53494d504c45")},
  }));
  const Buffer details = joined({failure_before_map, from_hex("00000002"), failure_nodes, behind});
  const NodeError error{.code = code, .message = "failed", .details = details};
  const auto content = without_nodes(5, error, told);
  REQUIRE(content);
  const auto again = parse_error(*content);
  REQUIRE(again);
  CHECK(again->code == code);
  CHECK(again->message == "failed");
  CHECK(
      copy(again->details) ==
      joined({failure_before_map, from_hex("00000002 04 c0000201 0001 04 c0000201 0002"), behind}));
}

TEST_CASE("a map of failures that cannot be read to its end is not passed on") {
  const Buffer whole = joined({failure_before_map, from_hex("00000002"), failure_nodes});
  test::for_each_prefix(whole, [](Bytes details) {
    const NodeError error{.code = error_code::read_failure, .message = "", .details = details};
    CHECK_FALSE(without_nodes(5, error, told));
  });
  const Buffer endless = joined({failure_before_map, from_hex("ffffffff"), failure_nodes});
  CHECK_FALSE(without_nodes(
      5, {.code = error_code::read_failure, .message = "", .details = endless}, told));
}

TEST_CASE("before v5 there is a count of failures, and no map") {
  const Buffer details = joined({failure_before_map, from_hex("00000002 01")});
  const auto content =
      without_nodes(4, {.code = error_code::read_failure, .message = "", .details = details}, told);
  REQUIRE(content);
  CHECK(copy(parse_error(*content)->details) == details);
}

TEST_CASE("further fields that name no node stay, and of codes not known nothing passes") {
  const Buffer id = from_hex("0002 0102");
  const auto content =
      without_nodes(5, {.code = error_code::unprepared, .message = "a", .details = id}, told);
  REQUIRE(content);
  CHECK(copy(*content) == joined({from_hex("00002500 0001 61"), id}));
  CHECK_FALSE(without_nodes(5, {.code = 0x8000, .message = "a", .details = id}, told));
}

TEST_CASE("a message says nothing of addresses") {
  const auto [text, hidden] = GENERATE(table<std::string, std::string>({
      {"", ""},
      {"Undefined column name x in table shop.t", "Undefined column name x in table shop.t"},
      {"Operation failed - received 0 responses and 2 failures: UNKNOWN from /10.2.0.4:7000, "
       "TIMEOUT from db1.internal/10.2.0.5:7000",
       "Operation failed - received 0 responses and 2 failures: UNKNOWN from node, "
       "TIMEOUT from node"},
      {"from /[fd00:0:0:0:0:0:0:7]:7000.", "from node."},
      {"from fd00::7: no", "from node: no"},
      {"{/127.0.0.1=UNKNOWN}", "{node=UNKNOWN}"},
      {"[/10.2.0.4:7000]", "node"},
      {"x10.2.0.4y", "node"},
      {"at 12:34:56.789 on line 1:14", "at 12:34:56.789 on line 1:14"},
      {"version 4.1.10 of 5.0.9", "version 4.1.10 of 5.0.9"},
      {"org.apache.cassandra.Foo$Bar", "org.apache.cassandra.Foo$Bar"},
      {"10.2.0.4", "node"},
      {"10.2.0.4:", "node:"},
  }));
  CHECK(hide_addresses(text) == hidden);
  const auto content = without_nodes(4, {.code = 0, .message = text, .details = {}}, told);
  REQUIRE(content);
  CHECK(parse_error(*content)->message == hidden);
}

}  // namespace gatehouse::cassandra
