#include "gateway/cassandra/event.h"

#include "gateway/cassandra/frame.h"

namespace gatehouse::cassandra {

namespace {

constexpr std::string_view topology_change = "TOPOLOGY_CHANGE";
constexpr std::string_view status_change = "STATUS_CHANGE";
constexpr std::string_view schema_change = "SCHEMA_CHANGE";

}  // namespace

std::optional<Event> parse_event(Bytes content) noexcept {
  ByteReader reader(content);
  const std::string_view type = reader.string();
  if (!reader.ok()) return std::nullopt;
  if (type == schema_change) return Event{.type = Event::Type::schema_change};
  if (type != topology_change && type != status_change) return Event{};
  Event event{.type = type == topology_change ? Event::Type::topology_change
                                              : Event::Type::status_change};
  event.change = reader.string();
  event.address = reader.inet_address();
  event.port = reader.u32();
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return event;
}

void append_event(std::vector<std::uint8_t>& out, std::uint8_t version, const Event& event) {
  FrameWriter frame(out, {.sender = Sender::node,
                          .version = version,
                          .stream = event_stream,
                          .opcode = opcode::event});
  append_string(out, event.type == Event::Type::topology_change ? topology_change : status_change);
  append_string(out, event.change);
  append_inet_address(out, event.address);
  append_u32(out, event.port);
  frame.end();
}

}  // namespace gatehouse::cassandra
