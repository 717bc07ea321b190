// The commands that the gateway looks at: the first byte of a packet with which a client begins
// something (enum_server_command in MariaDB's include/mysql_com.h).
#pragma once

#include <cstdint>

namespace gatehouse::mariadb::command {

inline constexpr std::uint8_t quit = 0x01;
inline constexpr std::uint8_t query = 0x03;
inline constexpr std::uint8_t process_kill = 0x0C;
inline constexpr std::uint8_t change_user = 0x11;
inline constexpr std::uint8_t prepare = 0x16;

}  // namespace gatehouse::mariadb::command
