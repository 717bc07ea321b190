#include "gateway/cassandra/system_tables.h"

#include <catch2/catch.hpp>

namespace gatehouse::cassandra {

TEST_CASE("tables that show no node may be read") {
  const auto [keyspace, name] = GENERATE(table<std::string_view, std::string_view>({
      {"system_schema", "tables"},
      {"system_schema", "keyspaces"},
      {"system_schema", "a table of years to come"},
      {"system_virtual_schema", "columns"},
      {"system_auth", "roles"},
      {"system_auth", "role_permissions"},
      {"system", "built_views"},
      {"system", "size_estimates"},
      {"system", "IndexInfo"},
  }));
  CAPTURE(keyspace, name);
  CHECK(may_be_read(keyspace, name));
}

TEST_CASE("tables that show nodes, or of which nothing is known, may not be read") {
  const auto [keyspace, name] = GENERATE(table<std::string_view, std::string_view>({
      {"system", "local"},
      {"system", "peers"},
      {"system", "peers_v2"},
      {"system", "peer_events"},
      {"system", "peer_events_v2"},
      {"system", "prepared_statements"},
      {"system", "indexinfo"},
      {"system", ""},
      {"system", "a table of years to come"},
      {"system_views", "clients"},
      {"system_views", "gossip_info"},
      {"system_views", "settings"},
      {"system_traces", "sessions"},
      {"system_traces", "events"},
      {"system_distributed", "repair_history"},
      {"system_distributed", "parent_repair_history"},
      {"system_auth", "network_permissions"},
      {"system_auth", "cidr_groups"},
      {"system_auth", ""},
      {"system_cluster_metadata", "distributed_metadata_log"},
      {"SYSTEM_SCHEMA", "tables"},
      {"", "roles"},
      {"", ""},
  }));
  CAPTURE(keyspace, name);
  CHECK_FALSE(may_be_read(keyspace, name));
}

}  // namespace gatehouse::cassandra
