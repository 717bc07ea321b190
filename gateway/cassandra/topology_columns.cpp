#include "gateway/cassandra/topology_columns.h"

#include <array>

#include "gateway/cassandra/invented.h"

namespace gatehouse::cassandra {

namespace {

using Cell = std::vector<std::uint8_t>;

constexpr ColumnType text{.id = type_id::text};
constexpr ColumnType integer{.id = type_id::int32};
constexpr ColumnType uuid{.id = type_id::uuid};
constexpr ColumnType inet{.id = type_id::inet};
constexpr ColumnType set_of_text{.id = type_id::set, .first = type_id::text};
constexpr ColumnType map_of_blobs{
    .id = type_id::map, .first = type_id::uuid, .second = type_id::blob};

// Cassandra's own default. Nobody reaches a stand-in address there or anywhere.
constexpr std::uint16_t storage_port = 7000;

// Peers may not have said yet; then Cassandra's cell is null, too.
bool append_text(Cell& cell, std::string_view value) {
  append_bytes(cell, bytes_of(value));
  return !value.empty();
}
bool append_uuid(Cell& cell, const Uuid& value) {
  append_bytes(cell, value);
  return value != Uuid{};
}

bool append_nothing(Cell& /*cell*/, const Ring& /*ring*/, const ShownNode& /*shown*/) {
  return false;
}
bool append_key(Cell& cell, const Ring& /*ring*/, const ShownNode& /*shown*/) {
  return append_text(cell, "local");
}
bool append_bootstrapped(Cell& cell, const Ring& /*ring*/, const ShownNode& /*shown*/) {
  return append_text(cell, "COMPLETED");
}

bool append_stand_in(Cell& cell, const Ring& /*ring*/, const ShownNode& shown) {
  const InetAddress made_up = stand_in_address(shown.node->host_id);
  append_bytes(cell, shown.among_nodes.value_or(made_up).bytes());
  return true;
}
bool append_storage_port(Cell& cell, const Ring& /*ring*/, const ShownNode& /*shown*/) {
  append_u32(cell, storage_port);
  return true;
}
bool append_address(Cell& cell, const Ring& /*ring*/, const ShownNode& shown) {
  append_bytes(cell, shown.endpoint.address.bytes());
  return true;
}
bool append_port(Cell& cell, const Ring& /*ring*/, const ShownNode& shown) {
  append_u32(cell, shown.endpoint.port);
  return true;
}

template <auto Member>
bool append_of_ring(Cell& cell, const Ring& ring, const ShownNode& /*shown*/) {
  return append_text(cell, ring.*Member);
}
template <auto Member>
bool append_text_of_node(Cell& cell, const Ring& /*ring*/, const ShownNode& shown) {
  return append_text(cell, shown.node->*Member);
}
bool append_host_id(Cell& cell, const Ring& /*ring*/, const ShownNode& shown) {
  return append_uuid(cell, shown.node->host_id);
}
bool append_schema_version(Cell& cell, const Ring& /*ring*/, const ShownNode& shown) {
  return append_uuid(cell, shown.schema_version.value_or(shown.node->schema_version));
}
bool append_tokens(Cell& cell, const Ring& /*ring*/, const ShownNode& shown) {
  const auto& tokens = shown.node->tokens;
  append_texts(cell, std::vector<std::string_view>(tokens.begin(), tokens.end()));
  return !tokens.empty();
}

constexpr TopologyColumn key{{"key", text}, append_key};
constexpr TopologyColumn bootstrapped{{"bootstrapped", text}, append_bootstrapped};
constexpr TopologyColumn broadcast_address{{"broadcast_address", inet}, append_stand_in};
constexpr TopologyColumn broadcast_port{{"broadcast_port", integer}, append_storage_port};
constexpr TopologyColumn cluster_name{{"cluster_name", text}, append_of_ring<&Ring::cluster_name>};
constexpr TopologyColumn cql_version{{"cql_version", text}, append_of_ring<&Ring::cql_version>};
constexpr TopologyColumn data_center{{"data_center", text},
                                     append_text_of_node<&Node::data_center>};
// It would say when the node was started. No driver asks.
constexpr TopologyColumn gossip_generation{{"gossip_generation", integer}, append_nothing};
constexpr TopologyColumn host_id{{"host_id", uuid}, append_host_id};
constexpr TopologyColumn listen_address{{"listen_address", inet}, append_stand_in};
constexpr TopologyColumn listen_port{{"listen_port", integer}, append_storage_port};
constexpr TopologyColumn native_address{{"native_address", inet}, append_address};
constexpr TopologyColumn native_port{{"native_port", integer}, append_port};
constexpr TopologyColumn native_protocol_version{{"native_protocol_version", text},
                                                 append_of_ring<&Ring::native_protocol_version>};
constexpr TopologyColumn partitioner{{"partitioner", text}, append_of_ring<&Ring::partitioner>};
constexpr TopologyColumn peer{{"peer", inet}, append_stand_in};
constexpr TopologyColumn peer_port{{"peer_port", integer}, append_storage_port};
constexpr TopologyColumn preferred_ip{{"preferred_ip", inet}, append_nothing};
constexpr TopologyColumn preferred_port{{"preferred_port", integer}, append_nothing};
constexpr TopologyColumn rack{{"rack", text}, append_text_of_node<&Node::rack>};
constexpr TopologyColumn release_version{{"release_version", text},
                                         append_text_of_node<&Node::release_version>};
constexpr TopologyColumn rpc_address{{"rpc_address", inet}, append_address};
constexpr TopologyColumn rpc_port{{"rpc_port", integer}, append_port};
constexpr TopologyColumn schema_version{{"schema_version", uuid}, append_schema_version};
constexpr TopologyColumn thrift_version{{"thrift_version", text}, append_nothing};
constexpr TopologyColumn tokens{{"tokens", set_of_text}, append_tokens};
constexpr TopologyColumn truncated_at{{"truncated_at", map_of_blobs}, append_nothing};

constexpr std::array local_columns{
    key,
    bootstrapped,
    broadcast_address,
    broadcast_port,
    cluster_name,
    cql_version,
    data_center,
    gossip_generation,
    host_id,
    listen_address,
    listen_port,
    native_protocol_version,
    partitioner,
    rack,
    release_version,
    rpc_address,
    rpc_port,
    schema_version,
    tokens,
    truncated_at,
};
constexpr std::array local_columns_without_ports{
    key,
    bootstrapped,
    broadcast_address,
    cluster_name,
    cql_version,
    data_center,
    gossip_generation,
    host_id,
    listen_address,
    native_protocol_version,
    partitioner,
    rack,
    release_version,
    rpc_address,
    schema_version,
    thrift_version,
    tokens,
    truncated_at,
};
constexpr std::array peers_columns{
    peer,        data_center,    host_id, preferred_ip, rack, release_version,
    rpc_address, schema_version, tokens,
};
constexpr std::array peers_v2_columns{
    peer,         peer_port,      data_center, host_id,         native_address, native_port,
    preferred_ip, preferred_port, rack,        release_version, schema_version, tokens,
};

}  // namespace

std::span<const TopologyColumn> topology_columns(TopologyTable table, bool has_ports) noexcept {
  switch (table) {
    case TopologyTable::local:
      if (!has_ports) return local_columns_without_ports;
      return local_columns;
    case TopologyTable::peers:
      return peers_columns;
    case TopologyTable::peers_v2:
      if (has_ports) return peers_v2_columns;
      break;
  }
  return {};
}

std::string_view partition_key_of(TopologyTable table) noexcept {
  return table == TopologyTable::local ? "key" : "peer";
}

std::string_view name_of(TopologyTable table) noexcept {
  switch (table) {
    case TopologyTable::local:
      return "local";
    case TopologyTable::peers:
      return "peers";
    case TopologyTable::peers_v2:
      return "peers_v2";
  }
  return {};
}

}  // namespace gatehouse::cassandra
