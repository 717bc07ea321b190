// Which of a listener's servers a login means. MariaDB's protocol has no field for it: clients say
// it behind their user's name, in an attribute, in the name they gave TLS, or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace gatehouse::mariadb {

struct MeantServer {
  enum class Outcome : std::uint8_t {
    named,
    unnamed,        // nothing names a server of the list
    contradictory,  // two names, two servers
  };
  Outcome outcome = Outcome::unnamed;
  std::size_t index = 0;  // in the list, where one is named
  // What the backend shall see: without its suffix where that names a server. An account's own name
  // may hold an '@' too.
  std::string_view user;
};

// `user`: names a server behind its last '@'. `server_host`: the attribute _server_host. `sni`:
// empty where there is none. Each names a server by its whole name or by the first label of a host
// name; one that names no server of the list says nothing. REQUIRES: servers as the configuration
// has them, in lower case and without a dot.
[[nodiscard]] MeantServer find_meant_server(std::string_view user,
                                            std::optional<std::string_view> server_host,
                                            std::string_view sni,
                                            std::span<const std::string_view> servers) noexcept;

}  // namespace gatehouse::mariadb
