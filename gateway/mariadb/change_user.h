// COM_CHANGE_USER: a login within a session. The client names its user as it did when it logged in,
// so with several servers the packet must be read, and written anew, on its way.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/mariadb/attributes.h"
#include "gateway/mariadb/bytes.h"

namespace gatehouse::mariadb {

// Views into the payload it was parsed from, read as MariaDB reads it
// (parse_com_change_user_packet in sql/sql_acl.cc).
struct ChangeUser {
  std::string_view user;      // quotes and all: unlike in a login, MariaDB takes none off
  Bytes auth;                 // for the nonce of the login, or a password; empty without one
  std::string_view database;  // empty: none
  std::uint16_t charset = 0;  // 0: the server's own, also where the packet ends before it
  std::optional<std::string_view> plugin;
  Bytes attributes;  // length-encoded keys and values, unchecked

  // The first value of a connection attribute; see find_attribute().
  [[nodiscard]] std::optional<std::string_view> attribute(std::string_view key) const noexcept {
    return find_attribute(attributes, key);
  }
};

// `capabilities`: those in force between this client and the gateway. No value: another command, or
// one that MariaDB refuses. So is, with plugin_auth_lenenc, an answer of more than 250 bytes, which
// versions read differently: its length is one byte before MDEV-38550 and length-encoded since.
[[nodiscard]] std::optional<ChangeUser> parse_change_user(Bytes payload,
                                                          std::uint64_t capabilities) noexcept;

// A whole packet, with sequence 0: `change` as `user`. `capabilities`: those in force between the
// gateway and the backend, where plugin_auth may be one more. REQUIRES: no NUL in `user`.
void append_change_user(std::vector<std::uint8_t>& out, const ChangeUser& change,
                        std::string_view user, std::uint64_t capabilities);

}  // namespace gatehouse::mariadb
