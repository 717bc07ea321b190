// What is measured: an address with a name, and what is spoken there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace gatehouse::bench {

enum class Protocol { mariadb, cql };

struct Target {
  std::string name;
  Protocol protocol = Protocol::mariadb;
  bool is_tls = true;  // from the first byte in CQL, behind the greeting in MariaDB
  std::string user;    // empty: the command's
  std::string host;    // an address, or a name
  std::string port;
  std::vector<pid_t> processes;  // that do its work, as far as they were named
};

// `[NAME=]SCHEME://[USER@]HOST:PORT`, where the schemes are mariadb and cql, and both with `+plain`
// behind for a connection without TLS. Without a name it is called what stands behind the scheme.
// No value: it is not that.
[[nodiscard]] std::optional<Target> parse_target(std::string_view text);

// `NAME=PID[,PID...]`: these do the work of the target of that name. False: it is not that, or
// there is no such target.
[[nodiscard]] bool take_processes(std::string_view text, std::vector<Target>& targets);

}  // namespace gatehouse::bench
