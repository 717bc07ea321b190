// What clients ask for once they are in, and what nodes answer, as whole frames or their bodies.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "gateway/cassandra/event.h"
#include "gateway/cassandra/frame.h"
#include "gateway/cassandra/result.h"
#include "gateway/cassandra/segment.h"
#include "tests/gateway/cassandra/frames.h"

namespace gatehouse::cassandra::test {

// Consistency ONE, no values, and from v5 on perhaps a keyspace of its own.
inline void append_parameters(Buffer& body, std::uint8_t version, std::string_view keyspace = {}) {
  append_u16(body, 1);
  if (version < first_with_segments) {
    append_u8(body, 0);
    return;
  }
  append_u32(body, keyspace.empty() ? 0 : 0x80);
  if (!keyspace.empty()) append_string(body, keyspace);
}

inline Buffer query_body(std::uint8_t version, std::string_view text,
                         std::string_view keyspace = {}) {
  Buffer body;
  append_long_bytes(body, bytes_of(text));
  append_parameters(body, version, keyspace);
  return body;
}

inline Buffer prepare_body(std::uint8_t version, std::string_view text,
                           std::string_view keyspace = {}) {
  Buffer body;
  append_long_bytes(body, bytes_of(text));
  if (version < first_with_segments) return body;
  append_u32(body, keyspace.empty() ? 0 : 1);
  if (!keyspace.empty()) append_string(body, keyspace);
  return body;
}

inline Buffer execute_body(std::uint8_t version, Bytes id) {
  Buffer body;
  append_short_bytes(body, id);
  if (version >= first_with_segments) append_short_bytes(body, bytes_of("metadata"));
  append_parameters(body, version);
  return body;
}

struct BatchPart {
  bool is_prepared = false;
  std::string_view text_or_id;
};
inline Buffer batch_body(std::uint8_t version, std::initializer_list<BatchPart> parts,
                         std::string_view keyspace = {}) {
  Buffer body;
  append_u8(body, 0);
  append_u16(body, static_cast<std::uint16_t>(parts.size()));
  for (const BatchPart& part : parts) {
    append_u8(body, part.is_prepared ? 1 : 0);
    if (part.is_prepared) {
      append_string(body, part.text_or_id);
    } else {
      append_long_bytes(body, bytes_of(part.text_or_id));
    }
    append_u16(body, 0);
  }
  append_parameters(body, version, keyspace);
  return body;
}

inline Buffer string_list(std::initializer_list<std::string_view> texts) {
  Buffer body;
  append_u16(body, static_cast<std::uint16_t>(texts.size()));
  for (const std::string_view text : texts) append_string(body, text);
  return body;
}

// A RESULT's content for a statement without markers that a node has prepared.
inline Buffer prepared_content(std::uint8_t version, Bytes id) {
  Buffer content;
  append_prepared(content, version,
                  {.id = id,
                   .result_metadata_id = bytes_of("metadata"),
                   .markers = {},
                   .partition_key = {},
                   .results = {}});
  return content;
}

inline Buffer set_keyspace_content(std::string_view keyspace) {
  Buffer content;
  append_set_keyspace(content, keyspace);
  return content;
}

inline Buffer error_content(std::uint32_t code, std::string_view message, Bytes details = {}) {
  Buffer content;
  append_u32(content, code);
  append_string(content, message);
  append_bytes(content, details);
  return content;
}

inline Buffer request_frame(std::uint8_t version, std::int16_t stream, std::uint8_t opcode,
                            Bytes body) {
  return frame_of({.version = version, .stream = stream, .opcode = opcode}, body);
}

inline Buffer response_frame(std::uint8_t version, std::int16_t stream, std::uint8_t opcode,
                             Bytes body) {
  return frame_of({.sender = Sender::node, .version = version, .stream = stream, .opcode = opcode},
                  body);
}

inline Buffer event_frame(std::uint8_t version, const Event& event) {
  Buffer frame;
  append_event(frame, version, event);
  return frame;
}

}  // namespace gatehouse::cassandra::test
