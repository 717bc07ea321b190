#include "gateway/cassandra/checksum.h"

#include <array>

#include <libdeflate.h>

namespace gatehouse::cassandra {

namespace {

constexpr std::uint32_t crc24_start = 0x875060;
constexpr std::uint32_t crc24_polynomial = 0x1974F0B;

// What each value of the topmost byte does to the rest.
constexpr auto crc24_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t crc = byte << 16;
    for (int bit = 0; bit < 8; ++bit) {
      crc <<= 1;
      if ((crc & 0x1000000) != 0) crc ^= crc24_polynomial;
    }
    table[byte] = crc;
  }
  return table;
}();

}  // namespace

std::uint32_t crc24(Bytes bytes) noexcept {
  std::uint32_t crc = crc24_start;
  for (const std::uint8_t byte : bytes) {
    crc = (crc << 8 & 0xFFFFFF) ^ crc24_table[crc >> 16 ^ byte];
  }
  return crc;
}

std::uint32_t crc32_of_payload(Bytes payload) noexcept {
  constexpr std::array<std::uint8_t, 4> seen_before{0xFA, 0x2D, 0x55, 0xCA};
  const std::uint32_t seed = libdeflate_crc32(0, seen_before.data(), seen_before.size());
  // Without bytes it would take a null pointer as a request to start over.
  if (payload.empty()) return seed;
  return libdeflate_crc32(seed, payload.data(), payload.size());
}

}  // namespace gatehouse::cassandra
