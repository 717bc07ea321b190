// Frames as real drivers and nodes exchange them, and what tests do to bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/cassandra/bytes.h"
#include "gateway/cassandra/frame.h"
#include "tests/gateway/buffers.h"

namespace gatehouse::cassandra::test {

using gatehouse::test::Buffer;
using gatehouse::test::copy;
using gatehouse::test::for_each_prefix;
using gatehouse::test::from_hex;

inline Buffer joined(const std::vector<Buffer>& parts) {
  Buffer whole;
  for (const Buffer& part : parts) append_bytes(whole, part);
  return whole;
}

// [string map]: keys and values, as often as they are given.
using Entries = std::vector<std::pair<std::string_view, std::string_view>>;
inline Buffer string_map(const Entries& entries) {
  Buffer body;
  append_u16(body, static_cast<std::uint16_t>(entries.size()));
  for (const auto& [key, value] : entries) {
    append_string(body, key);
    append_string(body, value);
  }
  return body;
}

inline Buffer frame_of(const FrameHeader& header, Bytes body) {
  Buffer out;
  append_frame(out, header, body);
  return out;
}

// The DataStax driver for Python asking for what it may do, in v5: no body.
inline Buffer options_frame() {
  return from_hex("05 00 0000 05 00000000");
}

// A node of Cassandra 5.0 to a client that spoke version 66.
inline std::string_view unsupported_version_text() {
  return "Invalid or unsupported protocol version (66); supported versions are (3/v3, 4/v4, 5/v5, "
         "6/v6-beta)";
}

}  // namespace gatehouse::cassandra::test
