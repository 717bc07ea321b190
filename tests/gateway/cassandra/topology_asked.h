// Asking for what the gateway answers itself: values as clients bind them, and answers taken apart.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "gateway/cassandra/statement.h"
#include "gateway/cassandra/topology_answer.h"
#include "tests/gateway/cassandra/topology.h"

namespace gatehouse::cassandra::test {

struct NamedValue {
  std::string_view name;  // empty: all are bound by their places
  std::optional<Buffer> value;
};
// The values of one request, with the bytes that they are views into.
struct BoundBytes {
  BoundBytes(std::initializer_list<NamedValue> list) {
    for (const NamedValue& each : list) {
      values.have_names = !each.name.empty();
      if (values.have_names) append_string(bytes, each.name);
      if (each.value) {
        append_long_bytes(bytes, *each.value);
      } else {
        append_null(bytes);
      }
    }
    values.count = static_cast<std::uint16_t>(list.size());
    values.bytes = bytes;
  }
  // As bytes on the wire.
  BoundBytes(Buffer wire, std::uint16_t count) : bytes(std::move(wire)) {
    values = {.bytes = bytes, .count = count};
  }
  BoundBytes(const BoundBytes&) = delete;
  BoundBytes& operator=(const BoundBytes&) = delete;

  Buffer bytes;
  BoundValues values;
};

inline Buffer int_value(std::uint32_t value) {
  Buffer bytes;
  append_u32(bytes, value);
  return bytes;
}

inline TopologySelect select_of(std::string_view text) {
  const Statement statement = classify(text, "system");
  REQUIRE(statement.kind == Statement::Kind::topology);
  return statement.select;
}

inline constexpr Answering v4{.version = 4, .stream = 7};

inline Buffer answer(std::string_view text, const TopologyView& view,
                     const QueryParameters& parameters = {}, Answering request = v4) {
  Buffer out;
  append_topology_rows(out, request, select_of(text), parameters, view);
  return out;
}

// What is wrong with it, in words; empty if nothing is.
inline std::string refusal_in(Bytes frame) {
  const auto error = parse_error(content_of(frame, opcode::error));
  if (!error) return "";
  CHECK(error->code == error_code::invalid);
  CHECK(error->details.empty());
  return std::string(error->message);
}

// Rows with the frame that they are views into.
struct AnsweredRows {
  AnsweredRows(std::string_view text, const TopologyView& view,
               const QueryParameters& parameters = {}, Answering request = v4)
      : frame(answer(text, view, parameters, request)) {
    CAPTURE(text, refusal_in(frame));
    auto parsed = parse_rows(content_of(frame, opcode::result));
    REQUIRE(parsed);
    rows = std::move(*parsed);
  }
  AnsweredRows(const AnsweredRows&) = delete;
  AnsweredRows& operator=(const AnsweredRows&) = delete;

  [[nodiscard]] Value cell(std::string_view name, std::uint32_t row = 0) const {
    return rows.cell(row, name);
  }

  Buffer frame;
  Rows rows;
};

}  // namespace gatehouse::cassandra::test
