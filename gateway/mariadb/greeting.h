// The server's first packet, and how a greeting is relayed with other capabilities.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "gateway/mariadb/bytes.h"

namespace gatehouse::mariadb {

// Owns its text, so that it may outlive the packet.
struct Greeting {
  std::string server_version;  // as sent: MariaDB before 11.0 puts "5.5.5-" in front
  std::uint32_t thread_id = 0;
  std::uint64_t capabilities = 0;  // both halves, see capabilities.h
  std::uint8_t charset = 0;
  std::uint16_t status = 0;
  std::string scramble;  // both parts, without the NUL at the end
  std::string plugin;    // empty where the server does not announce plugin_auth
};

// Protocol version 10 with protocol_41 and secure_connection, as MariaDB has sent it since 5.2.
// Unset: anything else, an ERR included. Bytes after the last field are a later server's and are
// let be.
[[nodiscard]] std::optional<Greeting> parse_greeting(Bytes payload);

// Changes the capability words and nothing else. Where `capabilities` say mysql, the extended word
// stays as it is. REQUIRES: `greeting` was parsed from `payload`, whose length is unchanged.
void set_capabilities(std::span<std::uint8_t> payload, const Greeting& greeting,
                      std::uint64_t capabilities) noexcept;

}  // namespace gatehouse::mariadb
