// Answers to SELECTs from the tables that say where nodes are, as a node gives them: rows, what
// preparing one leads to, or the error that Cassandra has for it. No answer holds an address but
// those that the view shows and those that are made up (invented.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gateway/cassandra/error.h"
#include "gateway/cassandra/query.h"
#include "gateway/cassandra/topology_select.h"
#include "gateway/cassandra/topology_view.h"

namespace gatehouse::cassandra {

// Of a body. The largest cluster fits once; naming a column many times makes it no longer.
inline constexpr std::size_t topology_answer_max = std::size_t{32} * 1024 * 1024;

// A whole frame. All rows at once, whatever the size of a page. REQUIRES: a version that is spoken.
void append_topology_rows(std::vector<std::uint8_t>& out, Answering request,
                          const TopologySelect& select, const QueryParameters& parameters,
                          const TopologyView& view);

// A whole frame. `id`: topology_statement_id(), by which the client will execute it.
void append_topology_prepared(std::vector<std::uint8_t>& out, Answering request, Bytes id,
                              const TopologySelect& select, bool has_ports);

}  // namespace gatehouse::cassandra
