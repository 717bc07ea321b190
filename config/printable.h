// Text that somebody else chose, for a terminal or a line of a log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse::config {

// A character that is not shown but obeyed.
struct Command {
  std::size_t size = 0;  // in bytes of UTF-8; 0: there is none
  std::uint32_t code_point = 0;
};

// At the start of `text`: a control character (U+0000 to U+001F, U+007F to U+009F), a line or
// paragraph separator (U+2028, U+2029), or what changes the direction of what follows (U+202A to
// U+202E, U+2066 to U+2069), so that it reads otherwise than it is.
[[nodiscard]] Command find_command(std::string_view text) noexcept;

// Nothing in it moves the cursor, begins a line or turns what follows around: that is written as
// \x1b, \u009b or \u202e. Everything else is as it was, also what is no UTF-8.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace gatehouse::config
