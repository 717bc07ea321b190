// What the gateway makes up where the truth may not be told, or where nobody else says anything:
// the same in every process and after every restart, so that drivers know it again.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "gateway/cassandra/bytes.h"
#include "gateway/cassandra/cell.h"
#include "gateway/cassandra/ring.h"

namespace gatehouse::cassandra {

// The address of a node among nodes, where no client goes but by which drivers tell nodes apart: of
// fd00::/8, with the host id in it but for the byte that has the UUID's version.
[[nodiscard]] InetAddress stand_in_address(const Uuid& host_id) noexcept;

// The one node that clients are shown where they are to know of no others: like `node`, but the
// same one whichever that is, as it has its host id from the server's name. It keeps one token,
// since nothing is owned by one node rather than another.
[[nodiscard]] Node virtual_node(const Node& node, std::string_view server_name);

// The id of a prepared statement that the gateway answers itself. Cassandra's ids are hashes, too,
// but by another function, so no statement of a node's has the same. With ports or without, the
// same text has other columns.
[[nodiscard]] std::array<std::uint8_t, 16> topology_statement_id(std::string_view text,
                                                                 std::string_view keyspace,
                                                                 bool has_ports);

// The id of a result's metadata, of which `column_specs` is all there is.
[[nodiscard]] std::array<std::uint8_t, 16> result_metadata_id(Bytes column_specs);

}  // namespace gatehouse::cassandra
