// Frames as real drivers and nodes exchange them, and what tests do to bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/cassandra/bytes.h"
#include "gateway/cassandra/frame.h"

namespace gatehouse::cassandra::test {

using Buffer = std::vector<std::uint8_t>;

// REQUIRES: pairs of hexadecimal digits and, anywhere between them, spaces.
inline Buffer from_hex(std::string_view text) {
  const auto digit = [](char character) {
    return character <= '9' ? character - '0' : character - 'a' + 10;
  };
  Buffer bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    bytes.push_back(static_cast<std::uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
    ++i;
  }
  return bytes;
}

inline Buffer copy(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

inline Buffer joined(const std::vector<Buffer>& parts) {
  Buffer whole;
  for (const Buffer& part : parts) append_bytes(whole, part);
  return whole;
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

// Calls `visit` with every proper prefix, each in memory of its own so that a sanitizer sees a read
// beyond it.
template <typename Visit>
void for_each_prefix(Bytes whole, Visit visit) {
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Buffer prefix = copy(whole.first(size));
    visit(Bytes(prefix));
  }
}

}  // namespace gatehouse::cassandra::test
