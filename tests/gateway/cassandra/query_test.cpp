#include "gateway/cassandra/query.h"

#include <catch2/catch.hpp>

#include "gateway/cassandra/frame.h"
#include "tests/gateway/cassandra/frames.h"

namespace gatehouse::cassandra {

using test::Buffer;
using test::copy;
using test::from_hex;
using test::joined;

namespace {

// What the DataStax driver for Python writes. In v3 and v4 the same but where noted.
const Buffer query_v4 = from_hex("00000008 53454c4543542061 0001 24 00001388 0000000000000001");
const Buffer query_v5 =
    from_hex("00000008 53454c4543542061 0001 000000a4 00001388 0000000000000001 0004 73686f70");
const Buffer prepare_v4 = from_hex("00000008 53454c4543542061");
const Buffer prepare_v5 = from_hex("00000008 53454c4543542061 00000001 0004 73686f70");
const Buffer execute_v4 = from_hex(
    "0002 0102 0006 2d 0002 00000003 616263 ffffffff 00000064 00000005 7374617465"
    "0000000000000001");
const Buffer execute_v5 = from_hex(
    "0002 0102 0002 0304 0006 0000002d 0002 00000003 616263 ffffffff 00000064 00000005 7374617465"
    "0000000000000001");
const Buffer batch_v4 = from_hex(
    "00 0002 00 00000008 494e534552542078 0001 00000001 61 01 0002 0102 0000 0001 20"
    "0000000000000007");
const Buffer batch_v5 = from_hex(
    "00 0002 00 00000008 494e534552542078 0001 00000001 61 01 0002 0102 0000 0001 000000a0"
    "0000000000000007 0004 73686f70");

}  // namespace

TEST_CASE("a QUERY says its text and how it is to be answered") {
  const auto version = GENERATE(values<std::uint8_t>({3, 4}));
  const auto query = parse_query(version, query_v4);
  REQUIRE(query);
  CHECK(query->text == "SELECT a");
  CHECK(query->parameters.consistency == 1);
  CHECK_FALSE(query->parameters.skip_metadata);
  CHECK(query->parameters.page_size == 5000);
  CHECK_FALSE(query->parameters.paging_state);
  CHECK(query->parameters.keyspace.empty());
  CHECK(query->parameters.values.count == 0);
}

TEST_CASE("a QUERY of v5 may name a keyspace of its own") {
  const auto query = parse_query(5, query_v5);
  REQUIRE(query);
  CHECK(query->text == "SELECT a");
  CHECK(query->parameters.page_size == 5000);
  CHECK(query->parameters.keyspace == "shop");
}

TEST_CASE("a keyspace that a QUERY of v4 names is refused, since some nodes would use it") {
  const Buffer with_keyspace = from_hex("00000001 61 0001 80 0006 73797374656d");
  CHECK_FALSE(parse_query(3, with_keyspace));
  CHECK_FALSE(parse_query(4, with_keyspace));
  CHECK(parse_query(5, from_hex("00000001 61 0001 00000080 0006 73797374656d"))
            ->parameters.keyspace == "system");
}

TEST_CASE("flags that nobody knows are refused") {
  CHECK(parse_query(5, from_hex("00000001 61 0001 00000100 00000007")));
  CHECK_FALSE(parse_query(5, from_hex("00000001 61 0001 00000200")));
  CHECK_FALSE(parse_query(5, from_hex("00000001 61 0001 80000000")));
  CHECK_FALSE(parse_prepare(5, from_hex("00000001 61 00000002")));
}

TEST_CASE("values have names where the flags say so") {
  // WHERE peer = :address and peer_port = :port, as the Java driver asks when a node comes up.
  const Buffer content = from_hex(
      "00000001 61 0001 00000041 0002 0007 61646472657373 00000004 7f000001"
      "0004 706f7274 00001b58 00");
  CHECK_FALSE(parse_query(5, content));  // a port of 7000 bytes
  const Buffer right = from_hex(
      "00000001 61 0001 00000041 0002 0007 61646472657373 00000004 7f000001"
      "0004 706f7274 00000004 00001b58");
  const auto query = parse_query(5, right);
  REQUIRE(query);
  const auto values = take_apart(query->parameters.values);
  REQUIRE(values.size() == 2);
  CHECK(values[0].name == "address");
  CHECK(copy(values[0].value.bytes) == from_hex("7f000001"));
  CHECK(values[1].name == "port");
  CHECK(copy(values[1].value.bytes) == from_hex("00001b58"));
}

TEST_CASE("names are announced for nothing where there are no values") {
  CHECK(parse_query(4, from_hex("00000001 61 0001 40")));
}

TEST_CASE("a PREPARE says its text, and in v5 its keyspace") {
  CHECK(parse_prepare(3, prepare_v4)->text == "SELECT a");
  CHECK(parse_prepare(4, prepare_v4)->keyspace.empty());
  CHECK(parse_prepare(5, prepare_v5)->text == "SELECT a");
  CHECK(parse_prepare(5, prepare_v5)->keyspace == "shop");
  CHECK(parse_prepare(5, from_hex("00000001 61 00000000"))->keyspace.empty());
  CHECK_FALSE(parse_prepare(5, prepare_v4));
  CHECK_FALSE(parse_prepare(4, prepare_v5));
}

TEST_CASE("an EXECUTE says of what, with which values, and whether metadata is wanted") {
  const auto [version, content] = GENERATE(table<std::uint8_t, Buffer>({
      {3, execute_v4},
      {4, execute_v4},
      {5, execute_v5},
  }));
  const auto execute = parse_execute(version, content);
  REQUIRE(execute);
  CHECK(copy(execute->id) == from_hex("0102"));
  CHECK(copy(execute->result_metadata_id) == from_hex(version == 5 ? "0304" : ""));
  CHECK(execute->parameters.consistency == 6);
  CHECK_FALSE(execute->parameters.skip_metadata);
  CHECK(execute->parameters.page_size == 100);
  REQUIRE(execute->parameters.paging_state);
  CHECK(as_text(*execute->parameters.paging_state) == "state");
  const auto values = take_apart(execute->parameters.values);
  REQUIRE(values.size() == 2);
  CHECK(as_text(values[0].value.bytes) == "abc");
  CHECK(values[1].value.state == Value::State::null);
}

TEST_CASE("metadata may be unwanted") {
  CHECK(parse_execute(4, from_hex("0001 aa 0001 02"))->parameters.skip_metadata);
}

TEST_CASE("a BATCH says each of its statements") {
  const auto [version, content] = GENERATE(table<std::uint8_t, Buffer>({
      {3, batch_v4},
      {4, batch_v4},
      {5, batch_v5},
  }));
  const auto batch = parse_batch(version, content);
  REQUIRE(batch);
  REQUIRE(batch->entries.size() == 2);
  CHECK_FALSE(batch->entries[0].is_prepared);
  CHECK(batch->entries[0].text == "INSERT x");
  CHECK(batch->entries[1].is_prepared);
  CHECK(copy(batch->entries[1].id) == from_hex("0102"));
  CHECK(batch->parameters.keyspace == (version == 5 ? "shop" : ""));
}

TEST_CASE("no prefix of a request is one, nor is one with bytes behind it") {
  using Accepts = bool (*)(std::uint8_t version, Bytes content);
  constexpr Accepts is_query = [](std::uint8_t version, Bytes content) {
    return parse_query(version, content).has_value();
  };
  constexpr Accepts is_prepare = [](std::uint8_t version, Bytes content) {
    return parse_prepare(version, content).has_value();
  };
  constexpr Accepts is_execute = [](std::uint8_t version, Bytes content) {
    return parse_execute(version, content).has_value();
  };
  constexpr Accepts is_batch = [](std::uint8_t version, Bytes content) {
    return parse_batch(version, content).has_value();
  };
  struct Case {
    Accepts accepts;
    std::uint8_t version;
    Buffer content;
  };
  const auto c = GENERATE_COPY(values<Case>({
      {is_query, 4, query_v4},
      {is_query, 5, query_v5},
      {is_prepare, 4, prepare_v4},
      {is_prepare, 5, prepare_v5},
      {is_execute, 4, execute_v4},
      {is_execute, 5, execute_v5},
      {is_batch, 4, batch_v4},
      {is_batch, 5, batch_v5},
  }));
  CHECK(c.accepts(c.version, c.content));
  test::for_each_prefix(c.content,
                        [&](Bytes prefix) { CHECK_FALSE(c.accepts(c.version, prefix)); });
  CHECK_FALSE(c.accepts(c.version, joined({c.content, {0}})));
}

TEST_CASE("a request with one lie in it is none") {
  CHECK_FALSE(parse_query(4, from_hex("ffffffff 61 0001 00")));
  CHECK_FALSE(parse_query(4, from_hex("00000001 61 0001 01 ffff 00000001 61")));
  CHECK_FALSE(parse_query(4, from_hex("00000001 61 0001 01 0001 fffffffd")));
  CHECK_FALSE(parse_batch(4, from_hex("00 ffff 00 00000001 61 0000 0001 00")));
  CHECK_FALSE(parse_batch(4, from_hex("00 0001 02 00000001 61 0000 0001 00")));
}

TEST_CASE("the message is behind the payload that the flags announce") {
  const Buffer payload = from_hex("0001 0001 61 00000001 62");
  const Buffer body = joined({payload, query_v4});
  const auto content = request_content(frame_flag::custom_payload, body);
  REQUIRE(content);
  CHECK(parse_query(4, *content)->text == "SELECT a");
  const auto without = request_content(frame_flag::tracing | frame_flag::warnings, query_v4);
  REQUIRE(without);
  CHECK(copy(*without) == query_v4);
  test::for_each_prefix(payload, [](Bytes prefix) {
    CHECK_FALSE(request_content(frame_flag::custom_payload, prefix));
  });
}

}  // namespace gatehouse::cassandra
