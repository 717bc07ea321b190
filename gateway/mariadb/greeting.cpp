#include "gateway/mariadb/greeting.h"

#include <algorithm>

#include "gateway/mariadb/capabilities.h"

namespace gatehouse::mariadb {

namespace {

constexpr std::uint8_t protocol_version = 10;

// Offsets from the end of the server version, its NUL included (send_server_handshake_packet in
// MariaDB's sql/sql_acl.cc).
constexpr std::size_t low_capabilities_at = 13;
constexpr std::size_t high_capabilities_at = 18;
constexpr std::size_t extended_capabilities_at = 27;

constexpr std::size_t scramble_part_1_size = 8;
constexpr std::size_t scramble_part_2_size_min = 13;  // its NUL included

}  // namespace

std::optional<Greeting> parse_greeting(Bytes payload) {
  ByteReader reader(payload);
  if (reader.u8() != protocol_version) return std::nullopt;
  Greeting greeting;
  greeting.server_version = reader.text_until_nul();
  greeting.thread_id = reader.u32();
  greeting.scramble = as_text(reader.bytes(scramble_part_1_size));
  reader.u8();  // the NUL that ended the scramble before 4.1
  const std::uint32_t low = reader.u16();
  greeting.charset = reader.u8();
  greeting.status = reader.u16();
  const std::uint32_t standard = low | std::uint32_t{reader.u16()} << 16;
  const std::size_t scramble_size = reader.u8();  // of both parts and the NUL; may be 0, or lie
  reader.bytes(6);
  greeting.capabilities = capability::from_words(standard, reader.u32());
  constexpr std::uint64_t needed = capability::protocol_41 | capability::secure_connection;
  if ((greeting.capabilities & needed) != needed) return std::nullopt;

  const std::size_t part_2_size =
      std::max(scramble_part_2_size_min + scramble_part_1_size, scramble_size) -
      scramble_part_1_size;
  std::string_view part_2 = as_text(reader.bytes(part_2_size));
  if (part_2.ends_with('\0')) part_2.remove_suffix(1);
  greeting.scramble += part_2;
  if ((greeting.capabilities & capability::plugin_auth) != 0) {
    greeting.plugin = reader.text_until_nul();
  }
  if (!reader.ok()) return std::nullopt;
  return greeting;
}

void set_capabilities(std::span<std::uint8_t> payload, const Greeting& greeting,
                      std::uint64_t capabilities) noexcept {
  const std::size_t base = 1 + greeting.server_version.size() + 1;
  put_u16(payload, base + low_capabilities_at, static_cast<std::uint16_t>(capabilities));
  put_u16(payload, base + high_capabilities_at, static_cast<std::uint16_t>(capabilities >> 16));
  if (capability::has_extended(capabilities)) {
    put_u32(payload, base + extended_capabilities_at,
            static_cast<std::uint32_t>(capabilities >> 32));
  }
}

}  // namespace gatehouse::mariadb
