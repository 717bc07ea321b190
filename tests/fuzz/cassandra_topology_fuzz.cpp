// A QUERY for the tables that say where nodes are, and what the gateway answers it, prepared or
// not. The input: what the cluster and the client are, a statement, a zero, and its parameters.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gateway/cassandra/cell.h"
#include "gateway/cassandra/invented.h"
#include "gateway/cassandra/result.h"
#include "gateway/cassandra/statement.h"
#include "gateway/cassandra/topology_answer.h"
#include "tests/fuzz/require.h"
#include "tests/gateway/cassandra/topology.h"

namespace gatehouse::cassandra {

using fuzz::require;
using test::Buffer;
using test::content_of;

namespace {

struct Asked {
  Answering request;
  TopologySelect select;
  QueryParameters parameters;
};

bool holds(Bytes bytes, Bytes part) {
  return !std::ranges::search(bytes, part).empty();
}

// An answer says again what the client said: names, and literals that do not fit. A byte of a
// length may come before it.
void check_keeps_secret(Bytes frame, Bytes secret, Bytes input) {
  require(!holds(frame, secret) || holds(input, secret.subspan(1)),
          "no answer says where nodes are");
}

void check_keeps_secrets(Bytes frame, Bytes input) {
  for (std::size_t i = 0; i < test::secret_addresses.size(); ++i) {
    check_keeps_secret(frame, test::secret_addresses.at(i).bytes(), input);
    check_keeps_secret(frame, bytes_of(test::secret_texts.at(i)), input);
  }
}

bool is_shown_address(const InetAddress& address, const TopologyView& view) {
  return address == view.local.endpoint.address ||
         std::ranges::any_of(view.ring->nodes, [&](const Node& node) {
           return address == stand_in_address(node.host_id);
         });
}

void check_cell(const Value& cell, ColumnType type, const TopologyView& view) {
  if (cell.state == Value::State::null) return;
  switch (type.id) {
    case type_id::inet: {
      const auto address = inet_in(cell);
      require(address && is_shown_address(*address, view), "an address is one that is shown");
      break;
    }
    case type_id::int32: {
      const auto port = int_in(cell);
      require(port && (*port == 7000 || (*port >= 19042 && *port <= 19044)),
              "a port is one that is shown");
      break;
    }
    case type_id::uuid:
      require(uuid_in(cell).has_value(), "a UUID is one");
      break;
    case type_id::set:
      require(texts_in(cell).has_value(), "a set is one");
      break;
    case type_id::bigint:
      require(bigint_in(cell).has_value(), "a count is one");
      break;
    default:
      require(type.id == type_id::text, "there is no other type that is not null");
  }
}

void check_rows(Bytes content, const Asked& asked, const TopologyView& view) {
  const auto rows = parse_rows(content);
  require(rows && !rows->has_more_pages, "rows can be read, and are all of them");
  require(rows->count <= 2, "there are no more rows than nodes");
  require(asked.select.selectors.empty() || rows->columns.size() == asked.select.selectors.size(),
          "what was asked for is there");
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    check_cell(rows->cells[i], rows->columns[i % rows->columns.size()].type, view);
  }
}

Buffer answer(const Asked& asked, const TopologyView& view, bool skip_metadata) {
  QueryParameters parameters = asked.parameters;
  parameters.skip_metadata = skip_metadata;
  Buffer frame;
  append_topology_rows(frame, asked.request, asked.select, parameters, view);
  return frame;
}

Buffer prepare(const Asked& asked, const TopologyView& view) {
  Buffer frame;
  append_topology_prepared(frame, asked.request, bytes_of("id"), asked.select,
                           view.ring->has_ports);
  return frame;
}

void check(const Asked& asked, const TopologyView& view, Bytes input) {
  const Buffer full = answer(asked, view, false);
  const Buffer bare = answer(asked, view, true);
  const Buffer prepared = prepare(asked, view);
  for (const Buffer* const frame : {&full, &bare, &prepared}) {
    check_keeps_secrets(*frame, input);
    require(content_of(*frame, opcode::result).empty() != content_of(*frame, opcode::error).empty(),
            "an answer is one frame, a result or an error");
  }
  const Bytes rows = content_of(full, opcode::result);
  const Bytes preparing = content_of(prepared, opcode::result);
  require(rows.empty() || !preparing.empty(), "what can be executed can be prepared");
  require(preparing.empty() || parse_prepared(asked.request.version, preparing).has_value(),
          "a prepared statement can be read");
  if (rows.empty()) {
    require(full == bare, "an error is the same without metadata");
    return;
  }
  check_rows(rows, asked, view);
  // Behind the kind, the flags and the number of columns.
  const Bytes without = content_of(bare, opcode::result).subspan(12);
  require(std::ranges::equal(rows.last(without.size()), without),
          "rows are the same without metadata");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes input(data, size);
  const std::uint8_t options = input[0];
  const Bytes behind = input.subspan(1);
  const auto text_size = static_cast<std::size_t>(std::ranges::find(behind, 0) - behind.begin());
  const Bytes text = behind.first(text_size);

  Asked asked{.request = {.version = static_cast<std::uint8_t>(version_min + options % 3)},
              .select = {},
              .parameters = {}};
  Statement statement = classify(as_text(text), "system");
  if (statement.kind != Statement::Kind::topology) return 0;
  asked.select = std::move(statement.select);
  Buffer content;
  append_long_bytes(content, text);
  if (text_size < behind.size()) append_bytes(content, behind.subspan(text_size + 1));
  if (const auto query = parse_query(asked.request.version, content)) {
    asked.parameters = query->parameters;
  }

  const Ring ring = test::ring_of_three((options & 0x80) == 0);
  TopologyView view = test::view_of(ring);
  view.lists_old_peers = (options & 0x40) == 0;
  check(asked, view, input);
  return 0;
}

}  // namespace gatehouse::cassandra
