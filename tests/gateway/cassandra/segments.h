// Segments that nobody writes so.
#pragma once

#include <cstdint>

#include "gateway/cassandra/checksum.h"
#include "tests/gateway/cassandra/frames.h"

namespace gatehouse::cassandra::test {

inline void append_little_endian(Buffer& out, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

// Of lz4's form, whose header claims what it likes: `decompressed` is 0 where the payload is as it
// is. Its checksums are right.
inline Buffer lz4_segment_claiming(std::uint64_t stored, std::uint64_t decompressed, Bytes payload,
                                   bool is_self_contained = true) {
  Buffer out;
  append_little_endian(
      out, stored | decompressed << 17 | std::uint64_t{is_self_contained ? 1U : 0U} << 34, 5);
  append_little_endian(out, crc24(out), 3);
  append_bytes(out, payload);
  append_little_endian(out, crc32_of_payload(payload), 4);
  return out;
}

}  // namespace gatehouse::cassandra::test
