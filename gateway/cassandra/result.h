// RESULTs other than rows (sections 4.2.5.1 to 4.2.5.4 of the native protocol).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gateway/cassandra/bytes.h"
#include "gateway/cassandra/rows.h"

namespace gatehouse::cassandra {

enum class ResultKind : std::uint32_t {
  nothing = 1,
  rows = 2,
  set_keyspace = 3,
  prepared = 4,
  schema_change = 5,
};

// Of the content behind a response's prefix. No value: there is none, or not one of these.
[[nodiscard]] std::optional<ResultKind> result_kind(Bytes content) noexcept;
// The keyspace that is now in use. No value: another kind, or it cannot be read.
[[nodiscard]] std::optional<std::string_view> parse_set_keyspace(Bytes content) noexcept;

// Views into the content. What the statement takes and gives is not read.
struct Prepared {
  Bytes id;
  Bytes result_metadata_id;  // only in v5
};
[[nodiscard]] std::optional<Prepared> parse_prepared(std::uint8_t version, Bytes content) noexcept;

// Each appends a content.
void append_nothing(std::vector<std::uint8_t>& content);
void append_set_keyspace(std::vector<std::uint8_t>& content, std::string_view keyspace);

struct PreparedStatement {
  Bytes id;
  Bytes result_metadata_id;  // said only in v5, and never empty there
  Columns markers;           // one for each bind marker, in order
  // Which markers make up the whole partition key, in the key's order; empty unless all of it is
  // bound. Said from v4 on, for drivers that choose a node by it.
  std::span<const std::uint16_t> partition_key;
  Columns results;
};
void append_prepared(std::vector<std::uint8_t>& content, std::uint8_t version,
                     const PreparedStatement& statement);

}  // namespace gatehouse::cassandra
