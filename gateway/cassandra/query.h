// What clients ask for once they are in (sections 4.1.4 to 4.1.7 of the native protocol): QUERY,
// PREPARE, EXECUTE and BATCH. Read as Cassandra reads them; what it would read in another way than
// the specification says is refused. Views into bodies, which are decompressed; nothing is copied.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/cassandra/bytes.h"

namespace gatehouse::cassandra {

// The first version in which the flags of these have 32 bits instead of 8, and say more.
inline constexpr std::uint8_t first_with_long_flags = 5;

// The message in a request's body: what is behind the payload that the frame's flags may announce.
// No value: a payload that does not fit.
[[nodiscard]] std::optional<Bytes> request_content(std::uint8_t flags, Bytes body) noexcept;

// The values of a statement's bind markers, checked but not taken apart.
struct BoundValues {
  Bytes bytes{};
  std::uint16_t count = 0;
  bool have_names = false;
};
struct BoundValue {
  std::string_view name;  // empty: by its place
  Value value;
};
[[nodiscard]] std::vector<BoundValue> take_apart(const BoundValues& values);

struct QueryParameters {
  std::uint16_t consistency = 0;
  bool skip_metadata = false;
  BoundValues values{};
  std::optional<std::int32_t> page_size{};
  std::optional<Bytes> paging_state{};
  std::string_view keyspace{};  // of this request alone, only in v5; empty: the connection's
};

struct Query {
  std::string_view text;
  QueryParameters parameters;
};
struct Prepare {
  std::string_view text;
  std::string_view keyspace;  // as above
};
struct Execute {
  Bytes id;
  Bytes result_metadata_id;  // only in v5
  QueryParameters parameters;
};
struct BatchEntry {
  bool is_prepared = false;
  std::string_view text{};  // unless it is prepared
  Bytes id{};               // if it is
};
struct Batch {
  std::vector<BatchEntry> entries;
  QueryParameters parameters;
};

// Of the content. No value: a field that does not fit, bytes behind the last one, or a flag that
// this version does not have: with those, Cassandra and its relatives differ in what they read.
[[nodiscard]] std::optional<Query> parse_query(std::uint8_t version, Bytes content) noexcept;
[[nodiscard]] std::optional<Prepare> parse_prepare(std::uint8_t version, Bytes content) noexcept;
[[nodiscard]] std::optional<Execute> parse_execute(std::uint8_t version, Bytes content) noexcept;
[[nodiscard]] std::optional<Batch> parse_batch(std::uint8_t version, Bytes content);

}  // namespace gatehouse::cassandra
