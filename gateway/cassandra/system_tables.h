// Which of Cassandra's own tables clients may read where these are hidden.
#pragma once

#include <string_view>

namespace gatehouse::cassandra {

// Names as Cassandra stores them. Whatever is not known to show no node's address may not be read.
[[nodiscard]] bool may_be_read(std::string_view keyspace, std::string_view table) noexcept;

}  // namespace gatehouse::cassandra
