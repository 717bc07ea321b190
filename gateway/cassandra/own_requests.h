// What the gateway itself says to a node, on the connection on which it learns the ring: bodies of
// requests, without the header.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "gateway/cassandra/bytes.h"

namespace gatehouse::cassandra {

void append_startup(std::vector<std::uint8_t>& body, std::string_view driver_version);
// SASL PLAIN. REQUIRES: neither holds a NUL.
void append_plain_login(std::vector<std::uint8_t>& body, std::string_view user,
                        std::string_view password);
// For every event that there is.
void append_register(std::vector<std::uint8_t>& body);
// All that a node says of itself.
inline constexpr std::string_view select_local = "SELECT * FROM system.local WHERE key='local'";
// Asks one node for all rows at once.
void append_query(std::vector<std::uint8_t>& body, std::uint8_t version, std::string_view text);

}  // namespace gatehouse::cassandra
