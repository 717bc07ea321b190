#include "gateway/mariadb/own_greeting.h"

#include <span>

#include "gateway/mariadb/bytes.h"
#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/packet.h"
#include "gateway/mariadb/plugins.h"

namespace gatehouse::mariadb {

namespace {

constexpr std::uint8_t protocol_version = 10;
constexpr std::uint16_t autocommit = 2;
constexpr std::size_t scramble_part_1_size = 8;

}  // namespace

// As send_server_handshake_packet in MariaDB's sql/sql_acl.cc does.
void append_own_greeting(std::vector<std::uint8_t>& out, const OwnGreeting& greeting) {
  const std::uint64_t capabilities = greeting.capabilities;
  const Bytes scramble(greeting.scramble);
  std::vector<std::uint8_t> payload;
  append_u8(payload, protocol_version);
  append_text_and_nul(payload, greeting.server_version);
  append_u32(payload, greeting.thread_id);
  append_bytes(payload, scramble.first(scramble_part_1_size));
  append_u8(payload, 0);
  append_u16(payload, static_cast<std::uint16_t>(capabilities));
  append_u8(payload, greeting.charset);
  append_u16(payload, autocommit);
  append_u16(payload, static_cast<std::uint16_t>(capabilities >> 16));
  append_u8(payload, OwnGreeting::scramble_size + 1);  // its NUL included
  payload.insert(payload.end(), 6, 0);
  const bool extended = capability::has_extended(capabilities);
  append_u32(payload, extended ? static_cast<std::uint32_t>(capabilities >> 32) : 0);
  append_bytes(payload, scramble.subspan(scramble_part_1_size));
  append_u8(payload, 0);
  append_text_and_nul(payload, native_password);
  append_packet(out, 0, payload);
}

}  // namespace gatehouse::mariadb
