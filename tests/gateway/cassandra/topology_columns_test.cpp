#include "gateway/cassandra/topology_columns.h"

#include <string>

#include <catch2/catch.hpp>

#include "gateway/cassandra/topology_plan.h"

namespace gatehouse::cassandra {

namespace {

std::string described(std::span<const TopologyColumn> columns) {
  std::string text;
  for (const TopologyColumn& column : columns) {
    text += std::string(column.column.name) + " " + std::string(name_of(column.column.type)) + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("system.local has the columns that Cassandra 4 and 5 have") {
  CHECK(described(topology_columns(TopologyTable::local, true)) ==
        "key text\n"
        "bootstrapped text\n"
        "broadcast_address inet\n"
        "broadcast_port int\n"
        "cluster_name text\n"
        "cql_version text\n"
        "data_center text\n"
        "gossip_generation int\n"
        "host_id uuid\n"
        "listen_address inet\n"
        "listen_port int\n"
        "native_protocol_version text\n"
        "partitioner text\n"
        "rack text\n"
        "release_version text\n"
        "rpc_address inet\n"
        "rpc_port int\n"
        "schema_version uuid\n"
        "tokens set<text>\n"
        "truncated_at map<uuid, blob>\n");
}

TEST_CASE("without ports, system.local has the columns that Cassandra 3.11 has") {
  CHECK(described(topology_columns(TopologyTable::local, false)) ==
        "key text\n"
        "bootstrapped text\n"
        "broadcast_address inet\n"
        "cluster_name text\n"
        "cql_version text\n"
        "data_center text\n"
        "gossip_generation int\n"
        "host_id uuid\n"
        "listen_address inet\n"
        "native_protocol_version text\n"
        "partitioner text\n"
        "rack text\n"
        "release_version text\n"
        "rpc_address inet\n"
        "schema_version uuid\n"
        "thrift_version text\n"
        "tokens set<text>\n"
        "truncated_at map<uuid, blob>\n");
}

TEST_CASE("system.peers has the same columns in all versions of Cassandra") {
  for (const bool has_ports : {true, false}) {
    CHECK(described(topology_columns(TopologyTable::peers, has_ports)) ==
          "peer inet\n"
          "data_center text\n"
          "host_id uuid\n"
          "preferred_ip inet\n"
          "rack text\n"
          "release_version text\n"
          "rpc_address inet\n"
          "schema_version uuid\n"
          "tokens set<text>\n");
  }
}

TEST_CASE("system.peers_v2 has the columns that Cassandra 4 and 5 have") {
  CHECK(described(topology_columns(TopologyTable::peers_v2, true)) ==
        "peer inet\n"
        "peer_port int\n"
        "data_center text\n"
        "host_id uuid\n"
        "native_address inet\n"
        "native_port int\n"
        "preferred_ip inet\n"
        "preferred_port int\n"
        "rack text\n"
        "release_version text\n"
        "schema_version uuid\n"
        "tokens set<text>\n");
}

TEST_CASE("without ports there is no system.peers_v2") {
  CHECK(topology_columns(TopologyTable::peers_v2, false).empty());
}

TEST_CASE("the partition key is the first column") {
  for (const auto table : {TopologyTable::local, TopologyTable::peers, TopologyTable::peers_v2}) {
    CHECK(topology_columns(table, true).front().column.name == partition_key_of(table));
  }
}

TEST_CASE("sets and maps have elements of the types by which they are named") {
  const auto local = topology_columns(TopologyTable::local, true);
  CHECK(local[18].column.type == ColumnType{.id = type_id::set, .first = type_id::text});
  CHECK(local[19].column.type ==
        ColumnType{.id = type_id::map, .first = type_id::uuid, .second = type_id::blob});
}

}  // namespace gatehouse::cassandra
