// What a client says until it is let in, and what it can ask for (sections 4.1 and 4.2 of the
// native protocol): STARTUP, SUPPORTED, AUTH_RESPONSE and REGISTER. Bodies only, without the header
// and decompressed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/cassandra/bytes.h"
#include "gateway/cassandra/error.h"

namespace gatehouse::cassandra {

// Views into the body. What is empty was not said.
struct Startup {
  std::string_view cql_version;
  std::string_view compression;  // see compression_named()
  std::string_view driver_name;
  std::string_view driver_version;
};
// Keys count in any case, and of one given twice the last, as with Cassandra. No value: not a map
// that ends with the body.
[[nodiscard]] std::optional<Startup> parse_startup(Bytes body) noexcept;

// What a node can do, as far as clients may know it through the gateway. Everything else that nodes
// say (ports of shards, products) is about the node itself.
struct Supported {
  std::vector<std::string> protocol_versions{};  // as in "4/v4"
  std::vector<std::string> compression{};
  std::vector<std::string> cql_versions{};

  bool operator==(const Supported&) const = default;
};
// No value: not a map that ends with the body, or more values than any node has.
[[nodiscard]] std::optional<Supported> parse_supported(Bytes body);
// Leaves what the gateway speaks, too: versions from version_min to version_max, LZ4 and Snappy.
[[nodiscard]] Supported spoken_here(Supported supported);
void append_supported(std::vector<std::uint8_t>& body, const Supported& supported);
// A whole frame: what a node said in `content`, behind a response's prefix, as far as it is spoken
// here. False: it cannot be read, and nothing is appended.
[[nodiscard]] bool append_supported_here(std::vector<std::uint8_t>& out, Answering request,
                                         Bytes content);

// The user in an AUTH_RESPONSE of SASL PLAIN, read as Cassandra's PasswordAuthenticator does. Shows
// nothing of the password and copies nothing. No value: another mechanism.
[[nodiscard]] std::optional<std::string_view> plain_user(Bytes body) noexcept;

struct Registration {
  bool topology_change = false;
  bool status_change = false;
  bool schema_change = false;
  bool anything_else = false;  // of which nothing is known here

  bool operator==(const Registration&) const = default;
};
[[nodiscard]] std::optional<Registration> parse_register(Bytes body) noexcept;

}  // namespace gatehouse::cassandra
