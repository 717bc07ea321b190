// What names look like, wherever they stand.
#pragma once

#include <string_view>

namespace gatehouse::config {

// 1 to 128 of A-Z, a-z, 0-9, _ and -.
[[nodiscard]] bool is_name(std::string_view text) noexcept;
// Of a server: 3 to 63 of a-z, 0-9 and -, no - at either end.
[[nodiscard]] bool is_server_name(std::string_view text) noexcept;

}  // namespace gatehouse::config
