#include "gateway/cassandra/rows.h"

#include <algorithm>

#include "gateway/cassandra/result.h"

namespace gatehouse::cassandra {

namespace {

namespace metadata_flag {
constexpr std::uint32_t global_table = 0x01;
constexpr std::uint32_t has_more_pages = 0x02;
constexpr std::uint32_t no_metadata = 0x04;
constexpr std::uint32_t metadata_changed = 0x08;
}  // namespace metadata_flag

// Types may hold types. No table of anyone's comes near, and each level is a call.
constexpr int type_depth_max = 16;

void append_type(std::vector<std::uint8_t>& content, ColumnType type) {
  append_u16(content, type.id);
  const bool is_map = type.id == type_id::map;
  if (is_map || type.id == type_id::list || type.id == type_id::set)
    append_u16(content, type.first);
  if (is_map) append_u16(content, type.second);
}

std::uint16_t skip_type(ByteReader& reader, int depth) noexcept;

void skip_types(ByteReader& reader, std::uint16_t count, int depth) noexcept {
  for (; count > 0 && reader.ok(); --count) skip_type(reader, depth);
}

void skip_fields(ByteReader& reader, int depth) noexcept {
  for (std::uint16_t left = reader.u16(); left > 0 && reader.ok(); --left) {
    reader.string();
    skip_type(reader, depth);
  }
}

// The type's id; what it holds is behind.
std::uint16_t skip_type(ByteReader& reader, int depth) noexcept {
  const std::uint16_t id = reader.u16();
  if (depth == 0) reader.spoil();
  switch (id) {
    case type_id::custom:
      reader.string();
      break;
    case type_id::list:
    case type_id::set:
      skip_type(reader, depth - 1);
      break;
    case type_id::map:
      skip_types(reader, 2, depth - 1);
      break;
    case type_id::udt:
      reader.string();
      reader.string();
      skip_fields(reader, depth - 1);
      break;
    case type_id::tuple:
      skip_types(reader, reader.u16(), depth - 1);
      break;
    default:
      break;
  }
  return id;
}

ColumnType read_type(ByteReader& reader) noexcept {
  const ByteReader before = reader;
  ColumnType type;
  type.id = skip_type(reader, type_depth_max);
  const bool is_map = type.id == type_id::map;
  if (!is_map && type.id != type_id::list && type.id != type_id::set) return type;
  ByteReader inside = before;
  inside.u16();
  type.first = skip_type(inside, type_depth_max);
  if (is_map) type.second = skip_type(inside, type_depth_max);
  return type;
}

bool read_columns(ByteReader& reader, std::uint32_t count, bool is_global,
                  std::vector<Column>& columns) {
  if (is_global) {
    reader.string();
    reader.string();
  }
  for (; count > 0 && reader.ok(); --count) {
    if (!is_global) {
      reader.string();
      reader.string();
    }
    const std::string_view name = reader.string();
    columns.push_back({name, read_type(reader)});
  }
  return reader.ok();
}

bool read_cells(ByteReader& reader, Rows& rows) {
  // Rows without columns would take no bytes, however many they were.
  if (rows.columns.empty()) return rows.count == 0;
  for (std::uint32_t row = 0; row < rows.count && reader.ok(); ++row) {
    for (std::size_t column = 0; column < rows.columns.size() && reader.ok(); ++column) {
      rows.cells.push_back(reader.value());
      if (rows.cells.back().state == Value::State::unset) return false;
    }
  }
  return reader.ok();
}

}  // namespace

RowsWriter::RowsWriter(std::vector<std::uint8_t>& content, const Columns& columns,
                       bool skip_metadata)
    : content_(content) {
  append_u32(content_, static_cast<std::uint32_t>(ResultKind::rows));
  append_u32(content_, skip_metadata ? metadata_flag::no_metadata : metadata_flag::global_table);
  append_u32(content_, static_cast<std::uint32_t>(columns.columns.size()));
  if (!skip_metadata) append_column_specs(content_, columns);
  count_at_ = content_.size();
  append_u32(content_, 0);
}

void RowsWriter::append(Bytes cell) {
  append_long_bytes(content_, cell);
}

void RowsWriter::append_null() {
  cassandra::append_null(content_);
}

void RowsWriter::end(std::uint32_t rows) noexcept {
  put_u32(content_, count_at_, rows);
}

void append_column_specs(std::vector<std::uint8_t>& content, const Columns& columns) {
  append_string(content, columns.keyspace);
  append_string(content, columns.table);
  for (const Column& column : columns.columns) {
    append_string(content, column.name);
    append_type(content, column.type);
  }
}

Value Rows::cell(std::uint32_t row, std::string_view name) const noexcept {
  const auto column = std::ranges::find(columns, name, &Column::name);
  if (column == columns.end()) return {};
  return cells[row * columns.size() + static_cast<std::size_t>(column - columns.begin())];
}

std::optional<Rows> parse_rows(Bytes content) {
  ByteReader reader(content);
  if (reader.u32() != static_cast<std::uint32_t>(ResultKind::rows)) return std::nullopt;
  const std::uint32_t flags = reader.u32();
  const std::uint32_t column_count = reader.u32();
  if ((flags & metadata_flag::no_metadata) != 0) return std::nullopt;
  Rows rows;
  rows.has_more_pages = (flags & metadata_flag::has_more_pages) != 0;
  if (rows.has_more_pages) reader.value();
  if ((flags & metadata_flag::metadata_changed) != 0) reader.short_bytes();
  const bool is_global = (flags & metadata_flag::global_table) != 0;
  if (!read_columns(reader, column_count, is_global, rows.columns)) return std::nullopt;
  rows.count = reader.u32();
  if (!read_cells(reader, rows) || !reader.at_end()) return std::nullopt;
  return rows;
}

}  // namespace gatehouse::cassandra
