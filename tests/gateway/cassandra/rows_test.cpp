#include "gateway/cassandra/rows.h"

#include <array>

#include <catch2/catch.hpp>

#include "gateway/cassandra/cell.h"
#include "tests/gateway/cassandra/frames.h"

namespace gatehouse::cassandra {

using test::Buffer;
using test::copy;
using test::from_hex;
using test::joined;

namespace {

constexpr std::array<Column, 3> three_columns{{
    {"key", {.id = type_id::text}},
    {"tokens", {.id = type_id::set, .first = type_id::text}},
    {"truncated_at", {.id = type_id::map, .first = type_id::uuid, .second = type_id::blob}},
}};
constexpr Columns local{"system", "local", three_columns};

// "key" and "tokens" of one row, as a node answers, by hand.
const Buffer metadata = from_hex(
    "00000002 00000001 00000002 0006 73797374656d 0005 6c6f63616c"
    "0003 6b6579 000d  0006 746f6b656e73 0022 000d");
const Buffer one_row = from_hex(
    "00000001 00000005 6c6f63616c 00000010 00000002 00000001 61"
    "00000003 2d3132");

}  // namespace

TEST_CASE("rows of a node read as columns and cells") {
  const Buffer content = joined({metadata, one_row});
  const auto rows = parse_rows(content);
  REQUIRE(rows);
  CHECK(rows->count == 1);
  CHECK_FALSE(rows->has_more_pages);
  REQUIRE(rows->columns.size() == 2);
  CHECK(rows->columns[1].name == "tokens");
  CHECK(rows->columns[1].type == ColumnType{.id = type_id::set, .first = type_id::text});
  CHECK(text_in(rows->cell(0, "key")) == "local");
  CHECK(texts_in(rows->cell(0, "tokens")) == std::vector<std::string_view>{"a", "-12"});
  CHECK(rows->cell(0, "rack").state == Value::State::null);
  test::for_each_prefix(content, [](Bytes prefix) { CHECK_FALSE(parse_rows(prefix)); });
  CHECK_FALSE(parse_rows(joined({content, {0}})));
}

TEST_CASE("rows whose columns name their tables one by one, over pages, read the same") {
  const Buffer content = from_hex(
      "00000002 0000000a 00000001 00000002 aabb 0002 0102"
      "0001 6b 0001 74 0001 63 0009  00000002 00000004 00000007 ffffffff");
  const auto rows = parse_rows(content);
  REQUIRE(rows);
  CHECK(rows->has_more_pages);
  CHECK(rows->count == 2);
  CHECK(int_in(rows->cell(0, "c")) == 7);
  CHECK_FALSE(int_in(rows->cell(1, "c")));
  test::for_each_prefix(content, [](Bytes prefix) { CHECK_FALSE(parse_rows(prefix)); });
}

TEST_CASE("rows with one lie in them are none") {
  struct Case {
    std::string_view name;
    Buffer content;
  };
  const auto c = GENERATE_COPY(values<Case>({
      {"another kind", from_hex("00000001")},
      {"no metadata", from_hex("00000002 00000004 00000001 00000000")},
      {"more columns than bytes",
       from_hex("00000002 00000001 7fffffff 0001 6b 0001 74 0001 63 000d")},
      {"more rows than bytes", joined({metadata, from_hex("7fffffff 00000005 6c6f63616c")})},
      {"endless rows of nothing", from_hex("00000002 00000001 00000000 0001 6b 0001 74 ffffffff")},
      {"an unset cell", joined({metadata, from_hex("00000001 fffffffe ffffffff")})},
      {"a cell longer than the rest", joined({metadata, from_hex("00000001 00000006 6c6f63616c")})},
  }));
  CAPTURE(c.name);
  CHECK_FALSE(parse_rows(c.content));
}

TEST_CASE("types of every kind are passed over") {
  const auto [type, id, first, second] =
      GENERATE(table<Buffer, std::uint16_t, std::uint16_t, std::uint16_t>({
          {from_hex("0010"), type_id::inet, 0, 0},
          {from_hex("0000 0003 612e62"), type_id::custom, 0, 0},
          {from_hex("0020 000c"), type_id::list, type_id::uuid, 0},
          {from_hex("0021 000c 0003"), type_id::map, type_id::uuid, type_id::blob},
          {from_hex("0021 0022 000d 0020 0009"), type_id::map, type_id::set, type_id::list},
          {from_hex("0030 0001 6b 0001 75 0002 0001 61 000d 0001 62 0009"), type_id::udt, 0, 0},
          {from_hex("0031 0002 000d 0022 0009"), type_id::tuple, 0, 0},
      }));
  const Buffer before = from_hex("00000002 00000001 00000002 0001 6b 0001 74 0001 61");
  const Buffer behind = from_hex("0001 62 0009 00000001 00000001 78 00000004 00000007");
  const Buffer content = joined({before, type, behind});
  const auto rows = parse_rows(content);
  REQUIRE(rows);
  CHECK(rows->columns[0].type == ColumnType{.id = id, .first = first, .second = second});
  CHECK(int_in(rows->cell(0, "b")) == 7);
  test::for_each_prefix(content, [](Bytes prefix) { CHECK_FALSE(parse_rows(prefix)); });
}

TEST_CASE("a type in a type in a type without an end is none") {
  const auto [levels, accepted] = GENERATE(table<int, bool>({{15, true}, {17, false}}));
  Buffer content = from_hex("00000002 00000001 00000001 0001 6b 0001 74 0001 61");
  for (int level = 0; level < levels; ++level) append_u16(content, type_id::list);
  append_u16(content, type_id::int32);
  append_u32(content, 0);
  CHECK(parse_rows(content).has_value() == accepted);
}

TEST_CASE("rows that are written read the same") {
  Buffer tokens;
  append_texts(tokens, {"1", "-9223372036854775808"});
  Buffer content{0xAA};
  RowsWriter writer(content, local, false);
  writer.append(bytes_of("local"));
  writer.append(tokens);
  writer.append_null();
  writer.append(bytes_of("other"));
  writer.append({});
  writer.append(from_hex("00000000"));
  writer.end(2);

  const auto rows = parse_rows(Bytes(content).subspan(1));
  REQUIRE(rows);
  REQUIRE(rows->columns.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(rows->columns[i].name == three_columns[i].name);
    CHECK(rows->columns[i].type == three_columns[i].type);
  }
  CHECK(rows->count == 2);
  CHECK(text_in(rows->cell(0, "key")) == "local");
  CHECK(texts_in(rows->cell(0, "tokens"))->back() == "-9223372036854775808");
  CHECK(rows->cell(0, "truncated_at").state == Value::State::null);
  CHECK(text_in(rows->cell(1, "key")) == "other");
  CHECK(rows->cell(1, "tokens").state == Value::State::set);
}

TEST_CASE("rows are written as nodes write them, with metadata and without") {
  constexpr std::array<Column, 2> columns{three_columns[0], three_columns[1]};
  for (const bool skip : {false, true}) {
    Buffer content;
    RowsWriter writer(content, {"system", "local", columns}, skip);
    writer.append(bytes_of("local"));
    writer.append(from_hex("00000002 00000001 61 00000003 2d3132"));
    writer.end(1);
    CHECK(content == joined({skip ? from_hex("00000002 00000004 00000002") : metadata, one_row}));
  }
}

TEST_CASE("a table may have no rows") {
  Buffer content;
  RowsWriter(content, local, false).end(0);
  const auto rows = parse_rows(content);
  REQUIRE(rows);
  CHECK(rows->count == 0);
  CHECK(rows->cells.empty());
}

}  // namespace gatehouse::cassandra
