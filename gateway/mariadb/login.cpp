#include "gateway/mariadb/login.h"

#include <algorithm>
#include <array>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/packet.h"
#include "gateway/mariadb/plugins.h"

namespace gatehouse::mariadb {

namespace {

constexpr std::size_t extended_capabilities_at = 28;

constexpr bool has(std::uint64_t capabilities, capability::Bit bit) {
  return (capabilities & bit) != 0;
}

LoginPrefix read_prefix(ByteReader& reader) noexcept {
  LoginPrefix prefix;
  const std::uint32_t standard = reader.u32();
  prefix.max_packet = reader.u32();
  prefix.charset = reader.u8();
  reader.bytes(19);
  prefix.capabilities = capability::from_words(standard, reader.u32());
  return prefix;
}

void append_prefix(std::vector<std::uint8_t>& out, const LoginPrefix& prefix) {
  append_u32(out, static_cast<std::uint32_t>(prefix.capabilities));
  append_u32(out, prefix.max_packet);
  append_u8(out, prefix.charset);
  out.insert(out.end(), 19, 0);
  const bool extended = capability::has_extended(prefix.capabilities);
  append_u32(out, extended ? static_cast<std::uint32_t>(prefix.capabilities >> 32) : 0);
}

// plugin_auth_lenenc without secure_connection means nothing to MariaDB.
Bytes read_auth(ByteReader& reader, std::uint64_t capabilities) noexcept {
  if (!has(capabilities, capability::secure_connection)) {
    return bytes_of(reader.text_until_nul());
  }
  if (has(capabilities, capability::plugin_auth_lenenc)) return reader.lenenc_bytes();
  return reader.bytes(reader.u8());
}

std::string_view without_quotes(std::string_view user) noexcept {
  const bool quoted = user.size() > 1 && user.starts_with('\'') && user.ends_with('\'');
  return quoted ? user.substr(1, user.size() - 2) : user;
}

// Whatever without_quotes() would take off is there twice.
void append_user(std::vector<std::uint8_t>& out, std::string_view user) {
  const std::string_view quote = without_quotes(user) == user ? "" : "'";
  append_text(out, quote);
  append_text(out, user);
  append_text_and_nul(out, quote);
}

void append_stand_in_auth(std::vector<std::uint8_t>& out, bool given, std::uint64_t capabilities) {
  if (!given) {
    append_u8(out, 0);  // an empty string in each of the three forms of this field
  } else if (has(capabilities, capability::secure_connection)) {
    append_lenenc_bytes(out, bytes_of("?"));  // the same as with one byte of length
  } else {
    append_text_and_nul(out, "?");
  }
}

}  // namespace

bool is_client_charset(std::uint8_t charset) noexcept {
  // Collations by their numbers, which never change (MariaDB's strings/ctype-*.c).
  struct Range {
    std::uint8_t first;
    std::uint8_t last;
  };
  constexpr std::array<Range, 9> unreadable{{{17, 17},
                                             {35, 35},
                                             {54, 56},
                                             {60, 62},
                                             {90, 90},
                                             {101, 124},
                                             {128, 151},
                                             {159, 159},
                                             {160, 183}}};
  return std::none_of(unreadable.begin(), unreadable.end(),
                      [&](Range range) { return charset >= range.first && charset <= range.last; });
}

std::optional<LoginPrefix> parse_ssl_request(Bytes payload) noexcept {
  if (payload.size() != login_prefix_size) return std::nullopt;
  ByteReader reader(payload);
  const LoginPrefix prefix = read_prefix(reader);
  constexpr std::uint64_t needed = capability::ssl | capability::protocol_41;
  if ((prefix.capabilities & needed) != needed) return std::nullopt;
  return prefix;
}

std::optional<Login> parse_login(Bytes payload, std::optional<std::uint64_t> governing) noexcept {
  ByteReader reader(payload);
  Login login;
  login.prefix = read_prefix(reader);
  if (governing) login.prefix.capabilities = *governing;
  const std::uint64_t capabilities = login.prefix.capabilities;
  if (!has(capabilities, capability::protocol_41)) return std::nullopt;  // another layout

  login.user = without_quotes(reader.text_until_nul());
  login.auth = read_auth(reader, capabilities);
  // From here on a text may end with the packet: MariaDB keeps a NUL behind every packet it reads.
  if (has(capabilities, capability::connect_with_db)) {
    if (reader.at_end()) return std::nullopt;
    login.database = reader.text_until_nul_or_end();
  }
  if (has(capabilities, capability::plugin_auth) && !reader.at_end()) {
    login.plugin = reader.text_until_nul_or_end();
  }
  if (has(capabilities, capability::connect_attributes)) login.attributes = reader.lenenc_bytes();
  if (!reader.ok() || login.attributes.size() > attributes_size_max) return std::nullopt;
  return login;
}

void set_login_capabilities(std::span<std::uint8_t> payload, std::uint64_t capabilities) noexcept {
  put_u32(payload, 0, static_cast<std::uint32_t>(capabilities));
  if (capability::has_extended(capabilities)) {
    put_u32(payload, extended_capabilities_at, static_cast<std::uint32_t>(capabilities >> 32));
  }
}

void append_ssl_request(std::vector<std::uint8_t>& out, std::uint8_t sequence,
                        const LoginPrefix& prefix) {
  LoginPrefix with_ssl = prefix;
  with_ssl.capabilities |= capability::ssl;
  std::vector<std::uint8_t> payload;
  payload.reserve(login_prefix_size);
  append_prefix(payload, with_ssl);
  append_packet(out, sequence, payload);
}

void append_absent_login(std::vector<std::uint8_t>& out, std::uint8_t sequence,
                         const LoginPrefix& prefix) {
  std::vector<std::uint8_t> payload;
  append_prefix(payload, prefix);
  append_text_and_nul(payload, absent_user);
  append_stand_in_auth(payload, false, prefix.capabilities);
  if (has(prefix.capabilities, capability::connect_with_db)) append_text_and_nul(payload, {});
  if (has(prefix.capabilities, capability::plugin_auth)) {
    append_text_and_nul(payload, native_password);
  }
  if (has(prefix.capabilities, capability::connect_attributes)) append_lenenc(payload, 0);
  append_packet(out, sequence, payload);
}

void append_routed_login(std::vector<std::uint8_t>& out, std::uint8_t sequence, const Login& login,
                         const LoginPrefix& prefix, std::string_view user) {
  LoginPrefix with_plugin = prefix;
  with_plugin.capabilities |= capability::plugin_auth;
  std::vector<std::uint8_t> payload;
  append_prefix(payload, with_plugin);
  append_user(payload, user);
  append_stand_in_auth(payload, !login.auth.empty(), prefix.capabilities);
  if (has(prefix.capabilities, capability::connect_with_db)) {
    append_text_and_nul(payload, login.database);
  }
  append_text_and_nul(payload, unknown_plugin);
  if (has(prefix.capabilities, capability::connect_attributes)) {
    append_lenenc_bytes(payload, login.attributes);
  }
  append_packet(out, sequence, payload);
}

}  // namespace gatehouse::mariadb
