// The ids of nodes as operators read them, and as they stand in files.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/cassandra/cell.h"

namespace gatehouse {

// 8-4-4-4-12 lower-case hexadecimal digits.
[[nodiscard]] std::string host_id_text(const cassandra::Uuid& host_id);
// Unset: not exactly what host_id_text() writes.
[[nodiscard]] std::optional<cassandra::Uuid> host_id_in(std::string_view text);

}  // namespace gatehouse
