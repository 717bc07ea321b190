#include "gateway/cassandra/result.h"

namespace gatehouse::cassandra {

namespace {

constexpr std::uint8_t first_with_partition_key = 4;
constexpr std::uint8_t first_with_metadata_id = 5;
constexpr std::uint32_t global_table = 0x01;

void append_kind(std::vector<std::uint8_t>& content, ResultKind kind) {
  append_u32(content, static_cast<std::uint32_t>(kind));
}

bool takes_kind(ByteReader& reader, ResultKind kind) noexcept {
  return reader.u32() == static_cast<std::uint32_t>(kind);
}

std::uint32_t flags_of(const Columns& columns) noexcept {
  // As Cassandra: without a column there is no table to name.
  return columns.columns.empty() ? 0 : global_table;
}

void append_specs(std::vector<std::uint8_t>& content, const Columns& columns) {
  if (!columns.columns.empty()) append_column_specs(content, columns);
}

}  // namespace

std::optional<ResultKind> result_kind(Bytes content) noexcept {
  ByteReader reader(content);
  const std::uint32_t kind = reader.u32();
  const bool is_known = kind >= static_cast<std::uint32_t>(ResultKind::nothing) &&
                        kind <= static_cast<std::uint32_t>(ResultKind::schema_change);
  if (!reader.ok() || !is_known) return std::nullopt;
  return static_cast<ResultKind>(kind);
}

std::optional<std::string_view> parse_set_keyspace(Bytes content) noexcept {
  ByteReader reader(content);
  if (!takes_kind(reader, ResultKind::set_keyspace)) return std::nullopt;
  const std::string_view keyspace = reader.string();
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return keyspace;
}

std::optional<Prepared> parse_prepared(std::uint8_t version, Bytes content) noexcept {
  ByteReader reader(content);
  if (!takes_kind(reader, ResultKind::prepared)) return std::nullopt;
  Prepared prepared;
  prepared.id = reader.short_bytes();
  if (version >= first_with_metadata_id) prepared.result_metadata_id = reader.short_bytes();
  if (!reader.ok()) return std::nullopt;
  return prepared;
}

void append_nothing(std::vector<std::uint8_t>& content) {
  append_kind(content, ResultKind::nothing);
}

void append_set_keyspace(std::vector<std::uint8_t>& content, std::string_view keyspace) {
  append_kind(content, ResultKind::set_keyspace);
  append_string(content, keyspace);
}

void append_prepared(std::vector<std::uint8_t>& content, std::uint8_t version,
                     const PreparedStatement& statement) {
  append_kind(content, ResultKind::prepared);
  append_short_bytes(content, statement.id);
  if (version >= first_with_metadata_id) {
    append_short_bytes(content, statement.result_metadata_id);
  }
  append_u32(content, flags_of(statement.markers));
  append_u32(content, static_cast<std::uint32_t>(statement.markers.columns.size()));
  if (version >= first_with_partition_key) {
    append_u32(content, static_cast<std::uint32_t>(statement.partition_key.size()));
    for (const std::uint16_t index : statement.partition_key) append_u16(content, index);
  }
  append_specs(content, statement.markers);
  append_u32(content, flags_of(statement.results));
  append_u32(content, static_cast<std::uint32_t>(statement.results.columns.size()));
  append_specs(content, statement.results);
}

}  // namespace gatehouse::cassandra
