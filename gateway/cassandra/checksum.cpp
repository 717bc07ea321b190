#include "gateway/cassandra/checksum.h"

#include <array>

#include <zlib.h>

namespace gatehouse::cassandra {

std::uint32_t crc24(Bytes bytes) noexcept {
  constexpr std::uint32_t start = 0x875060;
  constexpr std::uint32_t polynomial = 0x1974F0B;
  std::uint32_t crc = start;
  for (const std::uint8_t byte : bytes) {
    crc ^= std::uint32_t{byte} << 16;
    for (int bit = 0; bit < 8; ++bit) {
      crc <<= 1;
      if ((crc & 0x1000000) != 0) crc ^= polynomial;
    }
  }
  return crc;
}

std::uint32_t crc32_of_payload(Bytes payload) noexcept {
  constexpr std::array<std::uint8_t, 4> seen_before{0xFA, 0x2D, 0x55, 0xCA};
  const uLong seed = crc32_z(0, seen_before.data(), seen_before.size());
  // Without bytes zlib would take a null pointer as a request to start over.
  if (payload.empty()) return static_cast<std::uint32_t>(seed);
  return static_cast<std::uint32_t>(crc32_z(seed, payload.data(), payload.size()));
}

}  // namespace gatehouse::cassandra
