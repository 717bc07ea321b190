// What a node tells without being asked (section 4.2.6 of the native protocol): that a node came or
// went, was reached again or lost, or that a definition changed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/cassandra/bytes.h"

namespace gatehouse::cassandra {

inline constexpr std::int16_t event_stream = -1;

struct Event {
  enum class Type {
    topology_change,  // NEW_NODE, REMOVED_NODE, MOVED_NODE; which node, by `address` and `port`
    status_change,    // UP, DOWN; likewise
    schema_change,    // names no node; `change`, `address` and `port` are not read
    unknown,          // may name one
  };
  Type type = Type::unknown;
  std::string_view change{};  // a view into the content
  InetAddress address{};
  std::uint32_t port = 0;
};
// Of the content behind a response's prefix. No value: a field that does not fit, or bytes behind
// the last one.
[[nodiscard]] std::optional<Event> parse_event(Bytes content) noexcept;

// A whole frame. REQUIRES: a change of topology or status.
void append_event(std::vector<std::uint8_t>& out, std::uint8_t version, const Event& event);

}  // namespace gatehouse::cassandra
