// Rows (section 4.2.5.2 of the native protocol): written for the tables that the gateway answers
// itself, and read from a node, of which the gateway asks the same tables.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/cassandra/bytes.h"

namespace gatehouse::cassandra {

namespace type_id {
inline constexpr std::uint16_t custom = 0x0000;
inline constexpr std::uint16_t ascii = 0x0001;
inline constexpr std::uint16_t bigint = 0x0002;
inline constexpr std::uint16_t blob = 0x0003;
inline constexpr std::uint16_t boolean = 0x0004;
inline constexpr std::uint16_t int32 = 0x0009;
inline constexpr std::uint16_t uuid = 0x000C;
inline constexpr std::uint16_t text = 0x000D;
inline constexpr std::uint16_t timeuuid = 0x000F;
inline constexpr std::uint16_t inet = 0x0010;
inline constexpr std::uint16_t list = 0x0020;
inline constexpr std::uint16_t map = 0x0021;
inline constexpr std::uint16_t set = 0x0022;
inline constexpr std::uint16_t udt = 0x0030;
inline constexpr std::uint16_t tuple = 0x0031;
}  // namespace type_id

// A type of at most one level, which is all that the system's tables have. What is deeper reads as
// its outermost alone.
struct ColumnType {
  std::uint16_t id = type_id::blob;
  std::uint16_t first = 0;   // of a list, a set, or a map's keys
  std::uint16_t second = 0;  // of a map's values

  bool operator==(const ColumnType&) const = default;
};

// Views: of the content it was read from, or of whatever the writer of rows names.
struct Column {
  std::string_view name;
  ColumnType type;
};

// All of one table.
struct Columns {
  std::string_view keyspace;
  std::string_view table;
  std::span<const Column> columns;
};

// Appends the content of a RESULT of rows: metadata, and then whatever cells are appended, row by
// row, until end() says how many rows that were.
class RowsWriter {
 public:
  // `skip_metadata`: the client has it from preparing, and asked for rows alone.
  RowsWriter(std::vector<std::uint8_t>& content, const Columns& columns, bool skip_metadata);

  // One cell. REQUIRES: less than 2 GiB.
  void append(Bytes cell);
  void append_null();
  void end(std::uint32_t rows) noexcept;

 private:
  std::vector<std::uint8_t>& content_;
  std::size_t count_at_;
};

// The specification of columns, with their table said once: what RESULTs of rows and of prepared
// statements have in common.
void append_column_specs(std::vector<std::uint8_t>& content, const Columns& columns);

// A RESULT of rows taken apart. Views into the content.
struct Rows {
  std::vector<Column> columns;
  std::vector<Value> cells;  // row by row; unset does not occur
  std::uint32_t count = 0;   // of rows
  bool has_more_pages = false;

  // The cell of that name, or null where there is no such column. REQUIRES: row < count.
  [[nodiscard]] Value cell(std::uint32_t row, std::string_view name) const noexcept;
};
// Of the content behind a response's prefix, its kind included. No value: another kind of result,
// without metadata, or with a length that is a lie. Takes memory in proportion to what is there.
[[nodiscard]] std::optional<Rows> parse_rows(Bytes content);

}  // namespace gatehouse::cassandra
