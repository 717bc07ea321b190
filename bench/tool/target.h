// What is measured: an address with a name, and what is spoken there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::bench {

enum class Protocol { mariadb, cql };

struct Target {
  std::string name;
  Protocol protocol = Protocol::mariadb;
  bool is_tls = true;  // from the first byte in CQL, behind the greeting in MariaDB
  std::string user;    // empty: the command's
  std::string host;    // an address, or a name
  std::string port;
};

// `[NAME=]SCHEME://[USER@]HOST:PORT`, where the schemes are mariadb and cql, and both with `+plain`
// behind for a connection without TLS. Without a name it is called what stands behind the scheme.
// No value: it is not that.
[[nodiscard]] std::optional<Target> parse_target(std::string_view text);

}  // namespace gatehouse::bench
