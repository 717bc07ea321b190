// The capability bits that both sides announce at login (MariaDB's include/mysql_com.h). The low
// half is the standard word; MariaDB's own bits come in a second word and are the high half here.
#pragma once

#include <cstdint>

namespace gatehouse::mariadb::capability {

using Bit = std::uint64_t;

// Set by MySQL and by clients that know nothing of MariaDB's own bits: the high half then means
// nothing, whatever its bytes.
inline constexpr Bit mysql = 1U << 0;
inline constexpr Bit found_rows = 1U << 1;
inline constexpr Bit long_flag = 1U << 2;
inline constexpr Bit connect_with_db = 1U << 3;
inline constexpr Bit no_schema = 1U << 4;
inline constexpr Bit compress = 1U << 5;
inline constexpr Bit odbc = 1U << 6;
inline constexpr Bit local_files = 1U << 7;
inline constexpr Bit ignore_space = 1U << 8;
inline constexpr Bit protocol_41 = 1U << 9;
inline constexpr Bit interactive = 1U << 10;
inline constexpr Bit ssl = 1U << 11;
inline constexpr Bit ignore_sigpipe = 1U << 12;
inline constexpr Bit transactions = 1U << 13;
inline constexpr Bit reserved = 1U << 14;  // protocol_41 before it was final; every server sets it
inline constexpr Bit secure_connection = 1U << 15;
inline constexpr Bit multi_statements = 1U << 16;
inline constexpr Bit multi_results = 1U << 17;
inline constexpr Bit ps_multi_results = 1U << 18;
inline constexpr Bit plugin_auth = 1U << 19;
inline constexpr Bit connect_attributes = 1U << 20;
inline constexpr Bit plugin_auth_lenenc = 1U << 21;
inline constexpr Bit expired_passwords = 1U << 22;
inline constexpr Bit session_track = 1U << 23;
inline constexpr Bit deprecate_eof = 1U << 24;
inline constexpr Bit optional_resultset_metadata = 1U << 25;  // MySQL's only, like the next three
inline constexpr Bit zstd = 1U << 26;
inline constexpr Bit query_attributes = 1U << 27;
inline constexpr Bit multi_factor = 1U << 28;
inline constexpr Bit remember_options = 1U << 31;

inline constexpr Bit progress = Bit{1} << 32;
inline constexpr Bit com_multi = Bit{1} << 33;
inline constexpr Bit bulk_statements = Bit{1} << 34;
inline constexpr Bit extended_metadata = Bit{1} << 35;
inline constexpr Bit cache_metadata = Bit{1} << 36;
inline constexpr Bit bulk_unit_results = Bit{1} << 37;

// What changes the form of the packets behind the login: both sides must mean the same.
inline constexpr Bit shaping = session_track | deprecate_eof | progress | com_multi |
                               bulk_statements | extended_metadata | cache_metadata |
                               bulk_unit_results;

inline constexpr Bit standard_half = 0xFFFFFFFFU;

// What two words of a packet announce together.
[[nodiscard]] constexpr Bit from_words(std::uint32_t standard, std::uint32_t extended) noexcept {
  return (standard & mysql) != 0 ? Bit{standard} : Bit{standard} | Bit{extended} << 32;
}
// Whether the second word counts, hence may be written.
[[nodiscard]] constexpr bool has_extended(Bit capabilities) noexcept {
  return (capabilities & mysql) == 0;
}

}  // namespace gatehouse::mariadb::capability
