#include "gateway/mariadb/packet.h"

#include <array>

namespace gatehouse::mariadb {

PacketHeader read_header(std::span<const std::uint8_t, header_size> bytes) noexcept {
  const std::uint32_t length =
      bytes[0] | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16;
  return {.length = length, .sequence = bytes[3]};
}

void write_header(std::span<std::uint8_t, header_size> bytes, PacketHeader header) noexcept {
  put_u32(bytes, 0, header.length | std::uint32_t{header.sequence} << 24);
}

void append_packet(std::vector<std::uint8_t>& out, std::uint8_t sequence, Bytes payload) {
  std::array<std::uint8_t, header_size> header{};
  write_header(header,
               {.length = static_cast<std::uint32_t>(payload.size()), .sequence = sequence});
  append_bytes(out, header);
  append_bytes(out, payload);
}

}  // namespace gatehouse::mariadb
