// What a client sends to log in: the request to start TLS and the login itself (SSLRequest and
// HandshakeResponse41); and the same two as the gateway writes them towards a backend.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gateway/mariadb/attributes.h"
#include "gateway/mariadb/bytes.h"

namespace gatehouse::mariadb {

// An SSLRequest is nothing else, and a login begins with it.
inline constexpr std::size_t login_prefix_size = 32;

struct LoginPrefix {
  std::uint64_t capabilities = 0;  // both halves, see capabilities.h
  std::uint32_t max_packet = 0;
  std::uint8_t charset = 0;
};

// Views into the payload it was parsed from, read as MariaDB reads it
// (parse_client_handshake_packet in sql/sql_acl.cc): what the audit says must be what the server
// saw.
struct Login {
  LoginPrefix prefix;         // its capabilities are those that govern
  std::string_view user;      // without the quotes that MariaDB takes off ('root' is root)
  Bytes auth;                 // the answer to the greeting's nonce; empty without a password
  std::string_view database;  // empty: none
  // Unset also where the client announces plugin_auth and ends before the name: some do.
  std::optional<std::string_view> plugin;
  Bytes attributes;  // length-encoded keys and values, unchecked

  // The first value of a connection attribute; see find_attribute().
  [[nodiscard]] std::optional<std::string_view> attribute(std::string_view key) const noexcept {
    return find_attribute(attributes, key);
  }
};

// Whether a client may have this character set: MariaDB refuses those that its own parser cannot
// read (UCS-2, UTF-16, UTF-32, file names), and counts that as a broken handshake.
[[nodiscard]] bool is_client_charset(std::uint8_t charset) noexcept;

// Unset: not an SSLRequest, which is exactly 32 bytes long, with ssl and protocol_41. After a
// longer packet with ssl MariaDB would start TLS too: whoever relays a plaintext login takes ssl
// out of it.
[[nodiscard]] std::optional<LoginPrefix> parse_ssl_request(Bytes payload) noexcept;

// `governing`: what both the greeting and the client's first packet announce. Where an SSLRequest
// was the first, the server goes by that one's capabilities and ignores those of the login itself,
// in which some clients leave out ssl. Unset: the packet's own govern. No value: a field that ends
// beyond the packet, attributes announced but absent or too long, or a login older than
// protocol_41.
[[nodiscard]] std::optional<Login> parse_login(
    Bytes payload, std::optional<std::uint64_t> governing = std::nullopt) noexcept;

// Changes the capability words of an SSLRequest or a login and nothing else; where `capabilities`
// say mysql, the extended word stays as it is. Which fields follow depends on the words: a bit that
// has a field (connect_with_db, plugin_auth, …) must stay what it is. REQUIRES: 32 bytes at least.
void set_login_capabilities(std::span<std::uint8_t> payload, std::uint64_t capabilities) noexcept;

// A whole packet; ssl is added to the capabilities.
void append_ssl_request(std::vector<std::uint8_t>& out, std::uint8_t sequence,
                        const LoginPrefix& prefix);

// The user as whom the gateway ends the login on a backend whose client has gone: MariaDB counts an
// unfinished handshake against the gateway's address, and a refused login it does not.
inline constexpr std::string_view absent_user = "gatehouse-client-gone";

// A whole packet: a login of absent_user with no password, database or attributes. `prefix`
// governs: with an SSLRequest before, it must be that one's. The server may answer with an
// AuthSwitch before it refuses; any answer to that will do, an empty packet too.
void append_absent_login(std::vector<std::uint8_t>& out, std::uint8_t sequence,
                         const LoginPrefix& prefix);

// A whole packet: the client's login towards a backend whose greeting the client has not seen, as
// `user`, quotes and all. Its plugin is unknown_plugin, so the backend asks again with its own
// nonce. One byte stands for the client's answer, if there was one: that was made for another
// nonce, or is the password itself, which a plaintext leg must not carry. `prefix` governs, with
// plugin_auth added; an SSLRequest before must have had that too. REQUIRES: no NUL in `user`; no
// zstd, whose field is not written.
void append_routed_login(std::vector<std::uint8_t>& out, std::uint8_t sequence, const Login& login,
                         const LoginPrefix& prefix, std::string_view user);

}  // namespace gatehouse::mariadb
