#include "gateway/cassandra/query.h"

#include "gateway/cassandra/frame.h"

namespace gatehouse::cassandra {

namespace {

namespace query_flag {
constexpr std::uint32_t values = 0x01;
constexpr std::uint32_t skip_metadata = 0x02;
constexpr std::uint32_t page_size = 0x04;
constexpr std::uint32_t paging_state = 0x08;
constexpr std::uint32_t serial_consistency = 0x10;
constexpr std::uint32_t timestamp = 0x20;
constexpr std::uint32_t names_for_values = 0x40;
// Cassandra 4 and later read a keyspace in v3 and v4, too, which those do not have: it would be a
// way to name a table that nobody sees.
constexpr std::uint32_t keyspace = 0x80;
constexpr std::uint32_t now_in_seconds = 0x100;

constexpr std::uint32_t all_short = keyspace - 1;
constexpr std::uint32_t all_long = (now_in_seconds << 1) - 1;
}  // namespace query_flag

constexpr std::uint32_t prepare_with_keyspace = 0x01;

BoundValues read_values(ByteReader& reader, bool have_names) noexcept {
  BoundValues values{.count = reader.u16(), .have_names = have_names};
  const Bytes from_here = reader.rest();
  for (std::uint16_t left = values.count; left > 0 && reader.ok(); --left) {
    if (have_names) reader.string();
    reader.value();
  }
  if (!reader.ok()) return {};
  values.bytes = from_here.first(from_here.size() - reader.rest().size());
  return values;
}

QueryParameters read_parameters(ByteReader& reader, std::uint8_t version) noexcept {
  QueryParameters parameters;
  parameters.consistency = reader.u16();
  const bool is_long = version >= first_with_long_flags;
  const std::uint32_t flags = is_long ? reader.u32() : reader.u8();
  const auto has = [flags](std::uint32_t flag) { return (flags & flag) != 0; };
  if (has(~(is_long ? query_flag::all_long : query_flag::all_short))) {
    reader.spoil();
    return {};
  }
  parameters.skip_metadata = has(query_flag::skip_metadata);
  if (has(query_flag::values)) {
    parameters.values = read_values(reader, has(query_flag::names_for_values));
  }
  if (has(query_flag::page_size)) parameters.page_size = reader.i32();
  if (has(query_flag::paging_state)) {
    const Value state = reader.value();
    if (state.state == Value::State::set) parameters.paging_state = state.bytes;
  }
  if (has(query_flag::serial_consistency)) reader.u16();
  if (has(query_flag::timestamp)) reader.u64();
  if (has(query_flag::keyspace)) parameters.keyspace = reader.string();
  if (has(query_flag::now_in_seconds)) reader.u32();
  return parameters;
}

bool was_read_to_its_end(const ByteReader& reader) noexcept {
  return reader.ok() && reader.at_end();
}

BatchEntry read_batch_entry(ByteReader& reader) noexcept {
  constexpr std::uint8_t text_kind = 0;
  constexpr std::uint8_t prepared_kind = 1;
  BatchEntry entry;
  switch (reader.u8()) {
    case text_kind:
      entry.text = reader.long_string();
      break;
    case prepared_kind:
      entry.is_prepared = true;
      entry.id = reader.short_bytes();
      break;
    default:
      reader.spoil();
  }
  // Never with names: the flag that would announce them stands behind all entries.
  read_values(reader, false);
  return entry;
}

}  // namespace

std::optional<Bytes> request_content(std::uint8_t flags, Bytes body) noexcept {
  ByteReader reader(body);
  if ((flags & frame_flag::custom_payload) != 0) reader.skip_bytes_map();
  if (!reader.ok()) return std::nullopt;
  return reader.rest();
}

std::vector<BoundValue> take_apart(const BoundValues& values) {
  std::vector<BoundValue> list;
  list.reserve(values.count);  // that many were read
  ByteReader reader(values.bytes);
  for (std::uint16_t left = values.count; left > 0; --left) {
    const std::string_view name = values.have_names ? reader.string() : std::string_view();
    list.push_back({name, reader.value()});
  }
  return list;
}

std::optional<Query> parse_query(std::uint8_t version, Bytes content) noexcept {
  ByteReader reader(content);
  Query query;
  query.text = reader.long_string();
  query.parameters = read_parameters(reader, version);
  if (!was_read_to_its_end(reader)) return std::nullopt;
  return query;
}

std::optional<Prepare> parse_prepare(std::uint8_t version, Bytes content) noexcept {
  ByteReader reader(content);
  Prepare prepare;
  prepare.text = reader.long_string();
  if (version >= first_with_long_flags) {
    const std::uint32_t flags = reader.u32();
    if ((flags & ~prepare_with_keyspace) != 0) return std::nullopt;
    if ((flags & prepare_with_keyspace) != 0) prepare.keyspace = reader.string();
  }
  if (!was_read_to_its_end(reader)) return std::nullopt;
  return prepare;
}

std::optional<Execute> parse_execute(std::uint8_t version, Bytes content) noexcept {
  ByteReader reader(content);
  Execute execute;
  execute.id = reader.short_bytes();
  if (version >= first_with_long_flags) execute.result_metadata_id = reader.short_bytes();
  execute.parameters = read_parameters(reader, version);
  if (!was_read_to_its_end(reader)) return std::nullopt;
  return execute;
}

std::optional<Batch> parse_batch(std::uint8_t version, Bytes content) {
  ByteReader reader(content);
  Batch batch;
  reader.u8();  // logged, unlogged or counter
  for (std::uint16_t left = reader.u16(); left > 0 && reader.ok(); --left) {
    batch.entries.push_back(read_batch_entry(reader));
  }
  batch.parameters = read_parameters(reader, version);
  if (!was_read_to_its_end(reader)) return std::nullopt;
  return batch;
}

}  // namespace gatehouse::cassandra
