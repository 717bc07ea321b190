// Connection attributes: what a client says of itself in a login and again when it changes its
// user.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "gateway/mariadb/bytes.h"

namespace gatehouse::mariadb {

// MariaDB refuses a packet with more.
inline constexpr std::size_t attributes_size_max = 0xFFFF;

// The first value of a key such as "program_name" or "_client_name". `attributes`: length-encoded
// keys and values, unchecked; what follows a pair that does not fit is not looked at.
[[nodiscard]] std::optional<std::string_view> find_attribute(Bytes attributes,
                                                             std::string_view key) noexcept;

}  // namespace gatehouse::mariadb
