#include "gateway/mariadb/packet.h"

#include <array>

#include <catch2/catch.hpp>

#include "tests/gateway/mariadb/packets.h"

namespace gatehouse::mariadb {

using test::Buffer;
using test::from_hex;

TEST_CASE("a header is read as it was written") {
  const auto length = GENERATE(as<std::uint32_t>(), 0, 1, 0x64, 0x010203, payload_size_max);
  const auto sequence = GENERATE(as<std::uint8_t>(), 0, 1, 255);
  std::array<std::uint8_t, header_size> bytes{};
  write_header(bytes, {.length = length, .sequence = sequence});
  const PacketHeader header = read_header(bytes);
  CHECK(header.length == length);
  CHECK(header.sequence == sequence);
}

TEST_CASE("a packet is appended behind what is there, an empty one too") {
  Buffer out = from_hex("ff");
  append_packet(out, 2, from_hex("fe 61 00"));
  append_packet(out, 3, {});
  CHECK(out == from_hex("ff 03000002 fe6100 00000003"));
}

}  // namespace gatehouse::mariadb
