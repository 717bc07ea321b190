#include "gateway/cassandra/result.h"

#include <array>

#include <catch2/catch.hpp>

#include "tests/gateway/cassandra/frames.h"

namespace gatehouse::cassandra {

using test::Buffer;
using test::copy;
using test::from_hex;
using test::joined;

namespace {

constexpr std::array<Column, 2> markers{{
    {"address", {.id = type_id::inet}},
    {"port", {.id = type_id::int32}},
}};
constexpr std::array<Column, 1> results{{{"rack", {.id = type_id::text}}}};
constexpr std::array<std::uint16_t, 1> partition_key{0};

const Buffer id = from_hex("0102030405060708090a0b0c0d0e0f10");
const Buffer metadata_id = from_hex("a1a2");

PreparedStatement statement() {
  return {.id = id,
          .result_metadata_id = metadata_id,
          .markers = {"system", "peers_v2", markers},
          .partition_key = partition_key,
          .results = {"system", "peers_v2", results}};
}

// The parts of PREPARED as the specification has them.
const Buffer kind_and_id = joined({from_hex("00000004 0010"), id});
const Buffer table_name = from_hex("0006 73797374656d 0008 70656572735f7632");
const Buffer marker_specs = from_hex("0007 61646472657373 0010 0004 706f7274 0009");
const Buffer result_metadata =
    joined({from_hex("00000001 00000001"), table_name, from_hex("0004 7261636b 000d")});

}  // namespace

TEST_CASE("a result says its kind") {
  CHECK(result_kind(from_hex("00000001")) == ResultKind::nothing);
  CHECK(result_kind(from_hex("00000005 00")) == ResultKind::schema_change);
  CHECK_FALSE(result_kind(from_hex("00000000")));
  CHECK_FALSE(result_kind(from_hex("00000006")));
  CHECK_FALSE(result_kind(from_hex("000000")));
}

TEST_CASE("nothing is four bytes") {
  Buffer content;
  append_nothing(content);
  CHECK(content == from_hex("00000001"));
}

TEST_CASE("a keyspace that is set reads as it was written") {
  Buffer content;
  append_set_keyspace(content, "shop");
  CHECK(content == from_hex("00000003 0004 73686f70"));
  CHECK(parse_set_keyspace(content) == "shop");
  test::for_each_prefix(content, [](Bytes prefix) { CHECK_FALSE(parse_set_keyspace(prefix)); });
  CHECK_FALSE(parse_set_keyspace(joined({content, {0}})));
  CHECK_FALSE(parse_set_keyspace(from_hex("00000002 0004 73686f70")));
}

TEST_CASE("a prepared statement is written as each version has it") {
  const auto [version, expected] = GENERATE_COPY(table<std::uint8_t, Buffer>({
      {3, joined({kind_and_id, from_hex("00000001 00000002"), table_name, marker_specs,
                  result_metadata})},
      {4, joined({kind_and_id, from_hex("00000001 00000002 00000001 0000"), table_name,
                  marker_specs, result_metadata})},
      {5, joined({kind_and_id, from_hex("0002 a1a2"), from_hex("00000001 00000002 00000001 0000"),
                  table_name, marker_specs, result_metadata})},
  }));
  Buffer content;
  append_prepared(content, version, statement());
  CHECK(content == expected);
  const auto prepared = parse_prepared(version, content);
  REQUIRE(prepared);
  CHECK(copy(prepared->id) == id);
  CHECK(copy(prepared->result_metadata_id) == (version == 5 ? metadata_id : Buffer{}));
}

TEST_CASE("a statement without markers names no table for them") {
  PreparedStatement without = statement();
  without.markers.columns = {};
  without.partition_key = {};
  Buffer content;
  append_prepared(content, 4, without);
  CHECK(content == joined({kind_and_id, from_hex("00000000 00000000 00000000"), result_metadata}));
}

TEST_CASE("no prefix of a prepared statement's ids is one") {
  const Buffer content = joined({kind_and_id, from_hex("0002 a1a2")});
  CHECK(parse_prepared(5, content));
  test::for_each_prefix(content, [](Bytes prefix) { CHECK_FALSE(parse_prepared(5, prefix)); });
  CHECK_FALSE(parse_prepared(5, from_hex("00000002 0001 00 0000")));
}

}  // namespace gatehouse::cassandra
