#include "gateway/mariadb/reply.h"

#include <string>

#include "gateway/ascii.h"
#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/plugins.h"

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

bool may_answer(std::string_view plugin, std::size_t size) noexcept {
  if (size == 0) return true;  // no password
  if (plugin == native_password) return size == 20;
  if (plugin == "client_ed25519") return size == 64;
  return true;
}

bool reveals_password(std::string_view plugin) noexcept {
  return plugin == "mysql_old_password" || plugin == "mysql_clear_password" || plugin == "dialog" ||
         plugin == "sha256_password";
}

bool asks_for_full_authentication(Bytes payload) noexcept {
  // 0x01 comes before it once from MySQL, and once more from MariaDB servers that put it before
  // whatever a plugin sends (11.8.4, 12).
  std::size_t prefix = 0;
  while (prefix < 2 && prefix < payload.size() && payload[prefix] == more_data_marker) ++prefix;
  return payload.size() == prefix + 1 && payload[prefix] == full_authentication;
}

namespace {

using Outcome = RewrittenOk::Outcome;

// The state that goes to the client, and whether it differs from what came.
class StateWriter {
 public:
  explicit StateWriter(std::optional<std::uint32_t> connection_id)
      : connection_id_(connection_id) {}

  // False: the state cannot be read to its end.
  bool copy(Bytes state) {
    ByteReader reader(state);
    while (!reader.at_end()) {
      const std::uint8_t type = reader.u8();
      const Bytes data = reader.lenenc_bytes();
      if (!reader.ok()) break;
      if (type == system_variables) {
        if (!copy_variables(data)) return false;
      } else {
        append(type, data);
      }
    }
    return reader.ok();
  }

  void add_connection_id() {
    if (!connection_id_) return;
    std::vector<std::uint8_t> pair;
    append_lenenc_bytes(pair, bytes_of("connection_id"));
    append_lenenc_bytes(pair, bytes_of(std::to_string(*connection_id_)));
    append(system_variables, pair);
    changed_ = true;
  }

  [[nodiscard]] bool changed() const noexcept { return changed_; }
  [[nodiscard]] Bytes state() const noexcept { return state_; }

 private:
  void append(std::uint8_t type, Bytes data) {
    append_u8(state_, type);
    append_lenenc_bytes(state_, data);
  }

  // One entry: pairs of name and value.
  bool copy_variables(Bytes pairs) {
    std::vector<std::uint8_t> kept;
    bool took_out = false;
    ByteReader reader(pairs);
    while (!reader.at_end()) {
      const Bytes name = reader.lenenc_bytes();
      const Bytes value = reader.lenenc_bytes();
      if (!reader.ok()) return false;
      if (is_taken_out(as_text(name))) {
        took_out = true;
        continue;
      }
      append_lenenc_bytes(kept, name);
      append_lenenc_bytes(kept, value);
    }
    if (!took_out || !kept.empty()) append(system_variables, kept);
    changed_ = changed_ || took_out;
    return true;
  }

  [[nodiscard]] bool is_taken_out(std::string_view name) const noexcept {
    return equals_ignoring_case(name, "redirect_url") ||
           (connection_id_ && equals_ignoring_case(name, "connection_id"));
  }

  std::optional<std::uint32_t> connection_id_;
  std::vector<std::uint8_t> state_;
  bool changed_ = false;
};

}  // namespace

RewrittenOk rewrite_login_ok(Bytes ok_payload, std::uint64_t capabilities,
                             std::optional<std::uint32_t> connection_id) {
  ByteReader reader(ok_payload);
  const std::uint8_t marker = reader.u8();
  const std::uint64_t affected_rows = reader.lenenc();
  const std::uint64_t last_insert_id = reader.lenenc();
  const std::uint16_t status = reader.u16();
  const std::uint16_t warnings = reader.u16();
  if (!reader.ok() || marker != ok_marker) return {Outcome::malformed, {}};
  const bool has_state = (status & session_state_changed) != 0;
  if ((capabilities & capability::session_track) == 0 || (!has_state && !connection_id)) {
    return {Outcome::unchanged, {}};
  }
  // Without a state behind it, a text that is empty is left out.
  const Bytes info = has_state || !reader.at_end() ? reader.lenenc_bytes() : Bytes();
  const Bytes state = has_state ? reader.lenenc_bytes() : Bytes();
  if (!reader.ok() || !reader.at_end()) return {Outcome::malformed, {}};

  StateWriter writer(connection_id);
  if (!writer.copy(state)) return {Outcome::malformed, {}};
  writer.add_connection_id();
  if (!writer.changed()) return {Outcome::unchanged, {}};

  RewrittenOk result{Outcome::changed, {}};
  append_u8(result.payload, marker);
  append_lenenc(result.payload, affected_rows);
  append_lenenc(result.payload, last_insert_id);
  // A state of nothing is written as no state: not every client reads a length of zero.
  const bool nothing_left = writer.state().empty();
  const int announced =
      nothing_left ? status & ~session_state_changed : status | session_state_changed;
  append_u16(result.payload, static_cast<std::uint16_t>(announced));
  append_u16(result.payload, warnings);
  append_lenenc_bytes(result.payload, info);
  if (!nothing_left) append_lenenc_bytes(result.payload, writer.state());
  return result;
}

}  // namespace gatehouse::mariadb
