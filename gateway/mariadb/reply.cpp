#include "gateway/mariadb/reply.h"

#include "gateway/mariadb/ascii.h"
#include "gateway/mariadb/capabilities.h"

namespace gatehouse::mariadb {

namespace {

constexpr std::uint8_t ok_marker = 0x00;
constexpr std::uint8_t switch_marker = 0xFE;
constexpr std::uint8_t error_marker = 0xFF;

constexpr std::uint8_t more_data_marker = 0x01;
constexpr std::uint8_t full_authentication = 0x04;

constexpr std::size_t state_size = 5;

// SERVER_SESSION_STATE_CHANGED, and the only kind of session state that is looked into.
constexpr std::uint16_t session_state_changed = 0x4000;
constexpr std::uint8_t system_variables = 0;

}  // namespace

ReplyKind classify_reply(Bytes payload) noexcept {
  if (payload.empty()) return ReplyKind::malformed;
  switch (payload[0]) {
    case ok_marker:
      return ReplyKind::ok;
    case error_marker:
      return parse_error(payload) ? ReplyKind::error : ReplyKind::malformed;
    case switch_marker:
      if (payload.size() == 1) return ReplyKind::old_password;
      return parse_auth_switch(payload) ? ReplyKind::auth_switch : ReplyKind::malformed;
    default:
      return ReplyKind::more_data;
  }
}

std::optional<ServerError> parse_error(Bytes payload) noexcept {
  ByteReader reader(payload);
  if (reader.u8() != error_marker) return std::nullopt;
  ServerError error;
  error.code = reader.u16();
  if (!reader.ok()) return std::nullopt;
  error.message = as_text(reader.rest());
  if (error.message.starts_with('#')) {
    if (error.message.size() < 1 + state_size) return std::nullopt;
    error.state = error.message.substr(1, state_size);
    error.message.remove_prefix(1 + state_size);
  }
  return error;
}

std::optional<AuthSwitch> parse_auth_switch(Bytes payload) noexcept {
  ByteReader reader(payload);
  if (reader.u8() != switch_marker) return std::nullopt;
  AuthSwitch result;
  result.plugin = reader.text_until_nul();
  result.data = reader.rest();
  if (!reader.ok()) return std::nullopt;
  return result;
}

bool reveals_password(std::string_view plugin) noexcept {
  return plugin == "mysql_clear_password" || plugin == "dialog" || plugin == "sha256_password";
}

bool asks_for_full_authentication(Bytes payload) noexcept {
  // 0x01 comes before it once from MySQL, and once more from MariaDB servers that put it before
  // whatever a plugin sends (11.8.4, 12).
  std::size_t prefix = 0;
  while (prefix < 2 && prefix < payload.size() && payload[prefix] == more_data_marker) ++prefix;
  return payload.size() == prefix + 1 && payload[prefix] == full_authentication;
}

namespace {

using Outcome = OkWithoutRedirect::Outcome;

// Copies the pairs of name and value of one system variables entry to `out`, all but redirect_url.
Outcome copy_variables(Bytes pairs, std::vector<std::uint8_t>& out) {
  Outcome outcome = Outcome::unchanged;
  ByteReader reader(pairs);
  while (!reader.at_end()) {
    const Bytes name = reader.lenenc_bytes();
    const Bytes value = reader.lenenc_bytes();
    if (!reader.ok()) break;
    if (equals_ignoring_case(as_text(name), "redirect_url")) {
      outcome = Outcome::removed;
      continue;
    }
    append_lenenc_bytes(out, name);
    append_lenenc_bytes(out, value);
  }
  return reader.ok() ? outcome : Outcome::malformed;
}

// The same for all entries of a session state.
Outcome copy_state(Bytes state, std::vector<std::uint8_t>& out) {
  Outcome outcome = Outcome::unchanged;
  ByteReader reader(state);
  while (!reader.at_end()) {
    const std::uint8_t type = reader.u8();
    const Bytes data = reader.lenenc_bytes();
    if (!reader.ok()) break;
    std::vector<std::uint8_t> kept;
    if (type == system_variables) {
      const Outcome entry = copy_variables(data, kept);
      if (entry == Outcome::malformed) return entry;
      if (entry == Outcome::removed) outcome = entry;
      if (entry == Outcome::removed && kept.empty()) continue;
    } else {
      append_bytes(kept, data);
    }
    append_u8(out, type);
    append_lenenc_bytes(out, kept);
  }
  return reader.ok() ? outcome : Outcome::malformed;
}

}  // namespace

OkWithoutRedirect without_redirect_url(Bytes ok_payload, std::uint64_t capabilities) {
  ByteReader reader(ok_payload);
  const std::uint8_t marker = reader.u8();
  const std::uint64_t affected_rows = reader.lenenc();
  const std::uint64_t last_insert_id = reader.lenenc();
  const std::uint16_t status = reader.u16();
  const std::uint16_t warnings = reader.u16();
  if (!reader.ok() || marker != ok_marker) return {Outcome::malformed, {}};
  if ((capabilities & capability::session_track) == 0 || (status & session_state_changed) == 0) {
    return {Outcome::unchanged, {}};
  }
  const Bytes info = reader.lenenc_bytes();
  const Bytes state = reader.lenenc_bytes();
  if (!reader.ok() || !reader.at_end()) return {Outcome::malformed, {}};

  std::vector<std::uint8_t> kept;
  const Outcome outcome = copy_state(state, kept);
  if (outcome != Outcome::removed) return {outcome, {}};

  OkWithoutRedirect result{outcome, {}};
  append_u8(result.payload, marker);
  append_lenenc(result.payload, affected_rows);
  append_lenenc(result.payload, last_insert_id);
  // A state of nothing is written as no state: not every client reads a length of zero.
  const bool nothing_left = kept.empty();
  const int cleared = nothing_left ? status & ~session_state_changed : status;
  append_u16(result.payload, static_cast<std::uint16_t>(cleared));
  append_u16(result.payload, warnings);
  append_lenenc_bytes(result.payload, info);
  if (!nothing_left) append_lenenc_bytes(result.payload, kept);
  return result;
}

}  // namespace gatehouse::mariadb
