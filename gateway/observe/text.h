// Text as the audit and the log write it: times, and strings whose bytes somebody else chose.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace gatehouse {

// RFC 3339 in UTC: 2026-11-22T01:02:03Z, and with microseconds 2026-11-22T01:02:03.000004Z.
[[nodiscard]] std::string rfc3339(std::chrono::sys_seconds time);
[[nodiscard]] std::string rfc3339_microseconds(std::chrono::system_clock::time_point time);

// Valid UTF-8 of at most `max_bytes`: every byte that is not part of a character becomes U+FFFD,
// and the text is cut between two characters.
[[nodiscard]] std::string valid_utf8(std::string_view text, std::size_t max_bytes);

// JSON, on one line, as it is written on: it lets some characters stand in a string as they are
// that readers and terminals obey (config/printable.h).
[[nodiscard]] std::string printable_json(std::string_view json);

}  // namespace gatehouse
