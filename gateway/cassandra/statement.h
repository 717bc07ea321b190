// What a statement is to the gateway: whether it reads the tables that show where nodes are, and
// how. Closed by default: what may read a system keyspace and is not understood is unreadable.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "gateway/cassandra/topology_select.h"

namespace gatehouse::cassandra {

// Cassandra's own keyspaces: `system` and all that begin with `system_`. In any case of letters:
// none of Cassandra's has capitals, so nothing of a user's that exists is meant by them.
[[nodiscard]] bool is_system_keyspace(std::string_view keyspace) noexcept;

struct Statement {
  enum class Kind {
    // A SELECT from local, peers or peers_v2 of keyspace system: `select` says what it asks for.
    topology,
    // A SELECT from system.local of functions and no column, such as now(), for `key` or without
    // WHERE: whoever runs it learns nothing of the node.
    functions_of_local,
    // A SELECT from any other table of a system keyspace; `keyspace` and `table` say which.
    system_select,
    // INSERT, UPDATE, DELETE, TRUNCATE or a batch of them on a system keyspace (the same). With a
    // condition, these show rows as a SELECT does.
    system_change,
    use,               // `keyspace` is what to use
    describe_cluster,  // shows addresses
    describe,          // anything else: definitions
    definition,        // CREATE, ALTER or DROP of whatever
    other,             // reads no system keyspace
    unreadable,
  };
  Kind kind = Kind::unreadable;
  std::string keyspace{};
  std::string table{};
  TopologySelect select{};
};

// Of a SELECT, a DELETE or a batch as text, in bytes: these are read through, which takes time that
// other sessions wait for. A longer one is unreadable.
inline constexpr std::size_t statement_size_max = std::size_t{1} << 20;

// Of the text of a QUERY, a PREPARE or an entry of a BATCH. `keyspace`: the one that names without
// a keyspace mean, from USE or from the request itself; empty: none, so that Cassandra refuses
// them. Looks at the first words of most statements, and through all of a SELECT.
[[nodiscard]] Statement classify(std::string_view text, std::string_view keyspace);

}  // namespace gatehouse::cassandra
