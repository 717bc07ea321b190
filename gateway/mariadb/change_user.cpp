#include "gateway/mariadb/change_user.h"

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/commands.h"
#include "gateway/mariadb/packet.h"
#include "gateway/mariadb/plugins.h"

namespace gatehouse::mariadb {

namespace {

// As one byte of length and as a length-encoded integer the same.
constexpr std::uint8_t unambiguous_length_max = 250;

constexpr bool has(std::uint64_t capabilities, capability::Bit bit) {
  return (capabilities & bit) != 0;
}

std::optional<Bytes> read_auth(ByteReader& reader, std::uint64_t capabilities) noexcept {
  if (!has(capabilities, capability::secure_connection)) return bytes_of(reader.text_until_nul());
  const std::uint8_t length = reader.u8();
  if (length > unambiguous_length_max && has(capabilities, capability::plugin_auth_lenenc)) {
    return std::nullopt;
  }
  return reader.bytes(length);
}

}  // namespace

std::optional<ChangeUser> parse_change_user(Bytes payload, std::uint64_t capabilities) noexcept {
  ByteReader reader(payload);
  if (reader.u8() != command::change_user) return std::nullopt;
  ChangeUser change;
  change.user = reader.text_until_nul();
  const auto auth = read_auth(reader, capabilities);
  if (!auth || reader.at_end()) return std::nullopt;
  change.auth = *auth;
  // From here on a text may end with the packet: MariaDB keeps a NUL behind every packet it reads.
  change.database = reader.text_until_nul_or_end();
  // One byte would not be a charset to MariaDB, but the plugin.
  if (!reader.at_end()) change.charset = reader.u16();
  if (has(capabilities, capability::plugin_auth)) {
    if (reader.at_end()) return std::nullopt;
    change.plugin = reader.text_until_nul_or_end();
  }
  if (has(capabilities, capability::connect_attributes)) change.attributes = reader.lenenc_bytes();
  if (!reader.ok() || change.attributes.size() > attributes_size_max) return std::nullopt;
  return change;
}

void append_change_user(std::vector<std::uint8_t>& out, const ChangeUser& change,
                        std::string_view user, std::uint64_t capabilities) {
  std::vector<std::uint8_t> payload;
  append_u8(payload, command::change_user);
  append_text_and_nul(payload, user);
  if (has(capabilities, capability::secure_connection)) {
    append_u8(payload, static_cast<std::uint8_t>(change.auth.size()));
    append_bytes(payload, change.auth);
  } else {
    append_text_and_nul(payload, as_text(change.auth));
  }
  append_text_and_nul(payload, change.database);
  append_u16(payload, change.charset);
  if (has(capabilities, capability::plugin_auth)) {
    // What MariaDB takes for granted where none is named.
    append_text_and_nul(payload, change.plugin.value_or(native_password));
  }
  if (has(capabilities, capability::connect_attributes)) {
    append_lenenc_bytes(payload, change.attributes);
  }
  append_packet(out, 0, payload);
}

}  // namespace gatehouse::mariadb
