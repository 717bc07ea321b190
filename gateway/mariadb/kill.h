// The thread that a statement kills. A client of a routed login knows its threads by the gateway's
// numbers, so its KILL must be told the backend's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gatehouse::mariadb {

struct KillTarget {
  std::size_t at = 0;  // where in the statement its digits are
  std::size_t size = 0;
  std::uint64_t id = 0;
};

// Of a statement that is one `KILL [HARD | SOFT] [CONNECTION | QUERY] digits` and nothing else,
// comments aside. No value: another statement, or one that names no thread by its number (KILL
// USER, KILL QUERY ID, an expression, anything in an executable comment). For most statements, that
// takes a look at their first letter.
[[nodiscard]] std::optional<KillTarget> find_kill_target(std::string_view statement) noexcept;

}  // namespace gatehouse::mariadb
