// What a client asks for: QUERY, PREPARE, EXECUTE and BATCH in each version.
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gateway/cassandra/query.h"
#include "tests/fuzz/lies_within.h"
#include "tests/fuzz/require.h"

namespace gatehouse::cassandra {

using fuzz::require;
using mariadb::lies_within;

namespace {

void check_parameters(const QueryParameters& parameters, Bytes content) {
  require(lies_within(parameters.keyspace, content), "the keyspace lies within");
  const std::vector<BoundValue> values = take_apart(parameters.values);
  require(values.size() == parameters.values.count, "as many values as were announced");
  for (const BoundValue& value : values) {
    require(lies_within(value.name, content), "a value's name lies within");
    require(lies_within(as_text(value.value.bytes), content), "a value lies within");
  }
}

// Everything that says how long it is: with a byte less or more it is no longer that.
template <typename Parse>
void check_length(Parse parse, Bytes content) {
  const std::vector<std::uint8_t> shorter(content.begin(), content.end() - 1);
  require(!parse(shorter), "no prefix can be read");
  std::vector<std::uint8_t> longer(content.begin(), content.end());
  longer.push_back(0);
  require(!parse(longer), "nothing may be behind the end");
}

void check(std::uint8_t version, Bytes content) {
  const auto query = parse_query(version, content);
  if (query) {
    require(lies_within(query->text, content), "a text lies within");
    check_parameters(query->parameters, content);
    require(version >= 5 || query->parameters.keyspace.empty(), "only v5 names keyspaces");
    check_length([version](Bytes bytes) { return parse_query(version, bytes); }, content);
  }
  const auto prepare = parse_prepare(version, content);
  if (prepare) {
    require(lies_within(prepare->text, content), "a text lies within");
    require(lies_within(prepare->keyspace, content), "a keyspace lies within");
    check_length([version](Bytes bytes) { return parse_prepare(version, bytes); }, content);
  }
  const auto execute = parse_execute(version, content);
  if (execute) {
    require(lies_within(as_text(execute->id), content), "an id lies within");
    check_parameters(execute->parameters, content);
    check_length([version](Bytes bytes) { return parse_execute(version, bytes); }, content);
  }
  const auto batch = parse_batch(version, content);
  if (batch) {
    for (const BatchEntry& entry : batch->entries) {
      require(lies_within(entry.text, content) && lies_within(as_text(entry.id), content),
              "an entry lies within");
    }
    check_parameters(batch->parameters, content);
    check_length([version](Bytes bytes) { return parse_batch(version, bytes); }, content);
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto content = request_content(data[0], Bytes(data + 1, size - 1));
  if (!content || content->empty()) return 0;
  for (const std::uint8_t version : std::array<std::uint8_t, 3>{3, 4, 5}) check(version, *content);
  return 0;
}

}  // namespace gatehouse::cassandra
