// A conversation between a client and its node, and what passes through it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "gateway/cassandra/conversation.h"
#include "gateway/cassandra/error.h"
#include "tests/gateway/cassandra/cluster_of_three.h"
#include "tests/gateway/cassandra/requests.h"

namespace gatehouse::cassandra::test {

struct Manner {
  std::string_view name;
  std::uint8_t version = 4;
  Compression compression = Compression::none;  // of bodies
  std::optional<SegmentForm> form{};
};
inline const std::vector<Manner>& all_manners() {
  static const std::vector<Manner> manners{{"v3", 3},
                                           {"v4", 4},
                                           {"v3 with lz4", 3, Compression::lz4},
                                           {"v4 with lz4", 4, Compression::lz4},
                                           {"v4 with snappy", 4, Compression::snappy},
                                           {"v5", 5, Compression::none, SegmentForm::plain},
                                           {"v5 with lz4", 5, Compression::none, SegmentForm::lz4}};
  return manners;
}

// Each in a run of its own.
inline Manner any_manner() {
  return GENERATE(from_range(all_manners()));
}

// A frame as it stands on the wire; `frame` is one with a body as it is.
inline Buffer on_wire(const Manner& manner, Bytes frame) {
  Buffer wire;
  if (manner.form) {
    append_in_segments(wire, *manner.form, frame);
  } else if (manner.compression != Compression::none && frame.size() > header_size) {
    const Sender sender = (frame[0] & 0x80) != 0 ? Sender::node : Sender::client;
    FrameHeader header = read_header(frame, sender).header;
    header.flags |= frame_flag::compressed;
    append_frame(wire, header, *compress_body(manner.compression, frame.subspan(header_size)));
  } else {
    wire = copy(frame);
  }
  return wire;
}

// What came through one direction: frames without segments, and their bodies without compression.
inline std::vector<Buffer> frames_in(const Manner& manner, Sender sender, Bytes wire) {
  FrameReader reader(sender, body_size_max);
  if (manner.form) reader.begin_segments(*manner.form);
  reader.append(wire);
  std::vector<Buffer> frames;
  auto outcome = reader.next();
  for (; outcome == FrameReader::Outcome::frame; outcome = reader.next()) {
    FrameHeader header = reader.header();
    Buffer body = copy(reader.body());
    if ((header.flags & frame_flag::compressed) != 0) {
      const auto plain = decompress_body(manner.compression, body, body_size_max);
      REQUIRE(plain);
      header.flags &= static_cast<std::uint8_t>(~frame_flag::compressed);
      body = *plain;
    }
    frames.push_back(frame_of(header, body));
  }
  CHECK(outcome == FrameReader::Outcome::need_more);
  return frames;
}

struct Conversed {
  using Next = RelayFilter::Next;

  explicit Conversed(const Manner& spoken, bool hides_system_tables = true) : manner(spoken) {
    if (manner.form) conversation.begin_segments(*manner.form);
    conversation.begin({.version = manner.version,
                        .compression = manner.compression,
                        .hides_system_tables = hides_system_tables});
  }
  Conversed(const Conversed&) = delete;
  Conversed& operator=(const Conversed&) = delete;

  // Bytes of the client's, and after them as many calls as they ask for.
  void client_says(Bytes wire) {
    client_next = keep(conversation.from_client(wire));
    while (client_next == Next::again) client_next = keep(conversation.from_client({}));
  }
  // As a relay does: what waits for the node's bytes goes on after them.
  void node_says(Bytes wire) {
    node_next = keep(conversation.from_backend(wire));
    if (client_next != Next::after_other) return;
    client_next = Next::again;
    while (client_next == Next::again) client_next = keep(conversation.from_client({}));
  }
  Next keep(const RelayFilter::Result& result) {
    append_bytes(to_node, result.to_backend);
    append_bytes(to_client, result.to_client);
    return result.next;
  }

  // Frames of one of the sides, on the wire.
  void client_asks(Bytes frame) { client_says(on_wire(manner, frame)); }
  void node_answers(Bytes frame) { node_says(on_wire(manner, frame)); }
  Buffer request(std::int16_t stream, std::uint8_t opcode, Bytes body) const {
    return request_frame(manner.version, stream, opcode, body);
  }
  Buffer query(std::int16_t stream, std::string_view text) const {
    return request(stream, opcode::query, query_body(manner.version, text));
  }
  Buffer response(std::int16_t stream, std::uint8_t opcode, Bytes body) const {
    return response_frame(manner.version, stream, opcode, body);
  }
  Buffer status(std::string_view change, const InetAddress& address) const {
    return event_frame(
        manner.version,
        {.type = Event::Type::status_change, .change = change, .address = address, .port = 9142});
  }

  [[nodiscard]] std::vector<Buffer> at_client() const {
    return frames_in(manner, Sender::node, to_client);
  }
  [[nodiscard]] std::vector<Buffer> at_node() const {
    return frames_in(manner, Sender::client, to_node);
  }

  Manner manner;
  ClusterOfThree cluster;
  ConversationBuffers buffers;
  Conversation conversation{cluster, buffers};
  Buffer to_node;
  Buffer to_client;
  Next client_next = Next::on_bytes;
  Next node_next = Next::on_bytes;
};

inline bool holds(Bytes bytes, Bytes part) {
  return !std::ranges::search(bytes, part).empty();
}

}  // namespace gatehouse::cassandra::test
