// Text that somebody else chose, for a terminal or a line of a log.
#pragma once

#include <string>
#include <string_view>

namespace gatehouse::config {

// Nothing in it moves the cursor or begins a line: control characters are written as \x1b or
// \u009b. Everything else is as it was, also what is no UTF-8.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace gatehouse::config
