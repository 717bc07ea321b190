// The two checksums of v5's segments.
#pragma once

#include <cstdint>

#include "gateway/cassandra/bytes.h"

namespace gatehouse::cassandra {

// Of a segment's header: 24 bits, a polynomial and a start of Cassandra's own.
[[nodiscard]] std::uint32_t crc24(Bytes bytes) noexcept;
// Of a segment's payload: the CRC-32 of zlib, which has seen four bytes of Cassandra's own before.
[[nodiscard]] std::uint32_t crc32_of_payload(Bytes payload) noexcept;

}  // namespace gatehouse::cassandra
