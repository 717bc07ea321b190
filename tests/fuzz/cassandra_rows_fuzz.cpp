// A RESULT of a node, and the cells of its rows.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gateway/cassandra/cell.h"
#include "gateway/cassandra/result.h"
#include "gateway/cassandra/rows.h"
#include "tests/fuzz/lies_within.h"
#include "tests/fuzz/require.h"

namespace gatehouse::cassandra {

using fuzz::require;
using mariadb::lies_within;
using Buffer = std::vector<std::uint8_t>;

namespace {

bool is_simple(ColumnType type) noexcept {
  const auto is_scalar = [](std::uint16_t id) {
    return id != type_id::custom && id < type_id::list;
  };
  switch (type.id) {
    case type_id::list:
    case type_id::set:
      return is_scalar(type.first);
    case type_id::map:
      return is_scalar(type.first) && is_scalar(type.second);
    default:
      return is_scalar(type.id);
  }
}

void check_cell(const Value& cell, Bytes content) {
  require(cell.state != Value::State::unset, "a cell is set or null");
  require(lies_within(as_text(cell.bytes), content), "a cell lies within");
  const auto texts = texts_in(cell);
  if (texts) {
    Buffer again;
    append_texts(again, *texts);
    require(std::ranges::equal(again, cell.bytes), "texts can be written as they were");
  }
}

void check_writing(const Rows& rows) {
  if (!std::ranges::all_of(rows.columns, is_simple, &Column::type)) return;
  Buffer content;
  RowsWriter writer(content, {"system", "local", rows.columns}, false);
  for (const Value& cell : rows.cells) {
    if (cell.state == Value::State::null) {
      writer.append_null();
    } else {
      writer.append(cell.bytes);
    }
  }
  writer.end(rows.count);
  const auto again = parse_rows(content);
  require(again && again->count == rows.count && again->cells.size() == rows.cells.size(),
          "rows can be written");
  for (std::size_t i = 0; i < rows.cells.size(); ++i) {
    require(again->cells[i].state == rows.cells[i].state &&
                std::ranges::equal(again->cells[i].bytes, rows.cells[i].bytes),
            "cells are as they were");
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes content(data, size);
  const auto kind = result_kind(content);
  const auto keyspace = parse_set_keyspace(content);
  require(!keyspace || kind == ResultKind::set_keyspace, "a keyspace is set by such a result");
  require(!keyspace || lies_within(*keyspace, content), "a keyspace lies within");
  const auto prepared = parse_prepared(5, content);
  require(!prepared || kind == ResultKind::prepared, "a statement is prepared by such a result");
  const auto rows = parse_rows(content);
  if (!rows) return 0;
  require(kind == ResultKind::rows, "rows are rows");
  require(rows->cells.size() == rows->columns.size() * rows->count, "every row has every column");
  for (const Value& cell : rows->cells) check_cell(cell, content);
  check_writing(*rows);
  return 0;
}

}  // namespace gatehouse::cassandra
