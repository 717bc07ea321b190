#include "gateway/cassandra/checksum.h"

#include <array>

#include <catch2/catch.hpp>

namespace gatehouse::cassandra {

namespace {

// What cassandra-driver 3.30 for Python (cassandra/segment.py) makes of the same bytes.
TEST_CASE("a header's checksum is the one that drivers compute, with compression or without",
          "[cassandra]") {
  CHECK(crc24(std::array<std::uint8_t, 3>{0x56, 0x34, 0x12}) == 0xF5230F);
  CHECK(crc24(std::array<std::uint8_t, 3>{0xFF, 0xFF, 0x01}) == 0xFE9138);
  CHECK(crc24(std::array<std::uint8_t, 5>{}) == 0xAAAC0A);
  CHECK(crc24(std::array<std::uint8_t, 5>{0x12, 0xF0, 0xDE, 0xBC, 0x02}) == 0x5E4C28);
}

TEST_CASE("a payload's checksum is the one that drivers compute", "[cassandra]") {
  CHECK(crc32_of_payload(std::array<std::uint8_t, 9>{'1', '2', '3', '4', '5', '6', '7', '8',
                                                     '9'}) == 0xE2A261A7);
  CHECK(crc32_of_payload({}) == 0x44777ED3);
}

}  // namespace

}  // namespace gatehouse::cassandra
