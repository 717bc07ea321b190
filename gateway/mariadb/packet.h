// The frame around everything that client and server say: a length, a sequence number, a payload;
// and how long the payloads of a login may be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gateway/mariadb/bytes.h"

namespace gatehouse::mariadb {

inline constexpr std::size_t header_size = 4;
// A payload of exactly this length goes on in the next packet. No packet of a login may: the bounds
// below are far smaller.
inline constexpr std::uint32_t payload_size_max = 0xFFFFFF;

// Bounds of one payload while a login is under way, checked on the header before a byte of it is
// read. A greeting is about 100 bytes: only the version and the plugin's name vary.
inline constexpr std::uint32_t greeting_size_max = 4 * 1024;
// MariaDB takes at most 64 KiB of connection attributes; the rest (prefix, user, first answer to
// the nonce, database, plugin) is well below 1 KiB in practice, and 8 KiB here.
inline constexpr std::uint32_t login_size_max = 72 * 1024;
// Every later packet of a login, either way: the longest are GSSAPI tokens, which stay below 64
// KiB.
inline constexpr std::uint32_t exchange_size_max = 64 * 1024;

struct PacketHeader {
  std::uint32_t length = 0;  // of the payload
  std::uint8_t sequence = 0;
};

[[nodiscard]] PacketHeader read_header(std::span<const std::uint8_t, header_size> bytes) noexcept;
// REQUIRES: header.length <= payload_size_max.
void write_header(std::span<std::uint8_t, header_size> bytes, PacketHeader header) noexcept;

// REQUIRES: the payload is shorter than payload_size_max.
void append_packet(std::vector<std::uint8_t>& out, std::uint8_t sequence, Bytes payload);

}  // namespace gatehouse::mariadb
