// The tables that say where nodes are, as Cassandra has them: which columns, of which types, and
// what stands in them for a client that is not to learn where the nodes are.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gateway/cassandra/rows.h"
#include "gateway/cassandra/topology_select.h"
#include "gateway/cassandra/topology_view.h"

namespace gatehouse::cassandra {

struct TopologyColumn {
  Column column;
  // Appends what that node's cell holds. False: nothing, it is null.
  bool (*append)(std::vector<std::uint8_t>& cell, const Ring& ring,
                 const ShownNode& shown) = nullptr;
};

// In the order of `*`. Empty: there is no such table, as peers_v2 where there are no columns for
// ports.
[[nodiscard]] std::span<const TopologyColumn> topology_columns(TopologyTable table,
                                                               bool has_ports) noexcept;
// The one that is the table's partition key.
[[nodiscard]] std::string_view partition_key_of(TopologyTable table) noexcept;
[[nodiscard]] std::string_view name_of(TopologyTable table) noexcept;

}  // namespace gatehouse::cassandra
