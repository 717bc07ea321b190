#include "gateway/cassandra/ring_reader.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <catch2/catch.hpp>

#include "tests/gateway/cassandra/frames.h"
#include "tests/gateway/cassandra/topology.h"

namespace gatehouse::cassandra {

using test::Buffer;
using test::copy;
using test::ipv4;
using test::uuid_of;

namespace {

struct Cell {
  Column column;
  std::optional<Buffer> value;
};
using RowOfCells = std::vector<Cell>;

Cell text(std::string_view name, std::string_view value) {
  return {{name, {.id = type_id::text}}, copy(bytes_of(value))};
}
Cell uuid(std::string_view name, const Uuid& value) {
  return {{name, {.id = type_id::uuid}}, copy(value)};
}
Cell inet(std::string_view name, const InetAddress& value) {
  return {{name, {.id = type_id::inet}}, copy(value.bytes())};
}
Cell port(std::string_view name, std::uint32_t value) {
  Buffer bytes;
  append_u32(bytes, value);
  return {{name, {.id = type_id::int32}}, bytes};
}
Cell texts(std::string_view name, const std::vector<std::string_view>& values) {
  Buffer bytes;
  append_texts(bytes, values);
  return {{name, {.id = type_id::set, .first = type_id::text}}, bytes};
}

const InetAddress dialled = ipv4(10, 66, 77, 1);
const InetAddress any_ipv4 = ipv4(0, 0, 0, 0);
const InetAddress any_ipv6{.octets = {}, .size = 16};

RowOfCells local_row() {
  return {text("key", "local"),
          text("cluster_name", "Events"),
          text("cql_version", "3.4.7"),
          text("data_center", "dc1"),
          uuid("host_id", uuid_of(2)),
          text("native_protocol_version", "5"),
          text("partitioner", "Murmur3Partitioner"),
          text("rack", "rack2"),
          text("release_version", "5.0.9"),
          inet("rpc_address", dialled),
          port("rpc_port", 9142),
          uuid("schema_version", uuid_of(0x77)),
          texts("tokens", {"-5", "5"})};
}

// Of peers_v2.
RowOfCells peer_row(std::uint8_t number) {
  return {inet("peer", ipv4(10, 1, 1, number)),
          port("peer_port", 7000),
          text("data_center", "dc1"),
          uuid("host_id", uuid_of(number)),
          inet("native_address", ipv4(10, 66, 77, number)),
          port("native_port", 9242),
          text("rack", "rack3"),
          text("release_version", "5.0.8"),
          uuid("schema_version", uuid_of(0x78)),
          texts("tokens", {"7"})};
}

RowOfCells old_peer_row(std::uint8_t number) {
  return {inet("peer", ipv4(10, 1, 1, number)),  text("data_center", "dc1"),
          uuid("host_id", uuid_of(number)),      text("rack", "rack3"),
          text("release_version", "3.11.19"),    inet("rpc_address", ipv4(10, 66, 77, number)),
          uuid("schema_version", uuid_of(0x78)), texts("tokens", {"7"})};
}

Cell& cell(RowOfCells& row, std::string_view name) {
  return *std::ranges::find(row, name, [](const Cell& each) { return each.column.name; });
}

RowOfCells with(RowOfCells row, Cell other) {
  cell(row, other.column.name).value = std::move(other.value);
  return row;
}
RowOfCells with_null(RowOfCells row, std::string_view name) {
  cell(row, name).value.reset();
  return row;
}

// The columns are those of the first row, or of `otherwise` where there is none.
Buffer table_of(const std::vector<RowOfCells>& rows, const RowOfCells& otherwise) {
  std::vector<Column> columns;
  for (const Cell& each : rows.empty() ? otherwise : rows.front()) columns.push_back(each.column);
  Buffer content;
  RowsWriter writer(content, {"system", "table", columns}, false);
  for (const RowOfCells& row : rows) {
    for (const Cell& each : row) {
      if (each.value) {
        writer.append(*each.value);
      } else {
        writer.append_null();
      }
    }
  }
  writer.end(static_cast<std::uint32_t>(rows.size()));
  return content;
}

std::optional<Ring> read(const std::vector<RowOfCells>& local, const std::vector<RowOfCells>& peers,
                         const RowOfCells& columns_of_peers = peer_row(1)) {
  const Buffer local_content = table_of(local, local_row());
  const Buffer peers_content = table_of(peers, columns_of_peers);
  const auto local_rows = parse_rows(local_content);
  const auto peers_rows = parse_rows(peers_content);
  REQUIRE(local_rows);
  REQUIRE(peers_rows);
  return read_ring(*local_rows, *peers_rows, {.address = dialled, .port = 9042});
}

// The only other node of a ring.
std::optional<Node> read_peer(const RowOfCells& row) {
  const auto ring = read({local_row()}, {row});
  REQUIRE(ring);
  for (const Node& node : ring->nodes) {
    if (node.host_id != uuid_of(2)) return node;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("a ring is what local and peers_v2 say, its nodes by host id") {
  const auto ring = read({local_row()}, {peer_row(3), peer_row(1)});
  REQUIRE(ring);
  CHECK(ring->cluster_name == "Events");
  CHECK(ring->partitioner == "Murmur3Partitioner");
  CHECK(ring->cql_version == "3.4.7");
  CHECK(ring->native_protocol_version == "5");
  CHECK(ring->has_ports);
  REQUIRE(ring->nodes.size() == 3);
  CHECK(ring->nodes[0].host_id == uuid_of(1));
  CHECK(ring->nodes[1] == Node{.host_id = uuid_of(2),
                               .address = dialled,
                               .port = 9142,
                               .data_center = "dc1",
                               .rack = "rack2",
                               .release_version = "5.0.9",
                               .schema_version = uuid_of(0x77),
                               .tokens = {"-5", "5"}});
  CHECK(ring->nodes[2] == Node{.host_id = uuid_of(3),
                               .address = ipv4(10, 66, 77, 3),
                               .port = 9242,
                               .data_center = "dc1",
                               .rack = "rack3",
                               .release_version = "5.0.8",
                               .schema_version = uuid_of(0x78),
                               .tokens = {"7"}});
}

TEST_CASE("a node alone is a ring") {
  const auto ring = read({local_row()}, {});
  REQUIRE(ring);
  CHECK(ring->has_ports);
  CHECK(ring->nodes.size() == 1);
}

TEST_CASE("without columns for ports every node is on the port that was dialled") {
  RowOfCells local = local_row();
  std::erase_if(local, [](const Cell& each) { return each.column.name == "rpc_port"; });
  const auto ring = read({local}, {old_peer_row(3)});
  REQUIRE(ring);
  CHECK_FALSE(ring->has_ports);
  CHECK(ring->find(dialled, 9042) == ring->find(uuid_of(2)));
  CHECK(ring->find(ipv4(10, 66, 77, 3), 9042) == ring->find(uuid_of(3)));
  CHECK_FALSE(read({local}, {}, old_peer_row(1))->has_ports);
}

TEST_CASE("a node that listens on every address is where it was dialled, or where peers know it") {
  for (const InetAddress& any : {any_ipv4, any_ipv6}) {
    const auto ring = read({with(local_row(), inet("rpc_address", any))},
                           {with(peer_row(3), inet("native_address", any))});
    REQUIRE(ring);
    CHECK(ring->find(uuid_of(2))->address == dialled);
    CHECK(ring->find(uuid_of(3))->address == ipv4(10, 1, 1, 3));
  }
  const auto ring = read({with_null(local_row(), "rpc_address")},
                         {with_null(with_null(peer_row(3), "native_address"), "native_port")});
  REQUIRE(ring);
  CHECK(ring->find(uuid_of(2))->address == dialled);
  CHECK(ring->find(uuid_of(3))->address == ipv4(10, 1, 1, 3));
  CHECK(ring->find(uuid_of(3))->port == 9042);
}

TEST_CASE("a peer that is not fully described is left out") {
  for (const auto* const name : {"host_id", "tokens", "data_center", "rack"}) {
    CAPTURE(name);
    CHECK(read_peer(peer_row(3)));
    CHECK_FALSE(read_peer(with_null(peer_row(3), name)));
  }
  CHECK_FALSE(read_peer(with_null(with_null(peer_row(3), "native_address"), "peer")));
}

TEST_CASE("a peer whose version or schema is not known yet is one") {
  const auto peer =
      read_peer(with_null(with_null(peer_row(3), "release_version"), "schema_version"));
  REQUIRE(peer);
  CHECK(peer->release_version.empty());
  CHECK(peer->schema_version == Uuid{});
}

TEST_CASE("a peer with a lie in its row is left out") {
  const std::string long_text(ring_text_max + 1, 'x');
  const std::vector<std::string_view> too_many(node_tokens_max + 1, "7");
  const auto c = GENERATE_COPY(values<Cell>({
      text("data_center", ""),
      text("data_center", long_text),
      text("rack", long_text),
      texts("tokens", {}),
      texts("tokens", {"7", ""}),
      texts("tokens", {long_text}),
      texts("tokens", too_many),
      text("tokens", "7"),
      uuid("host_id", Uuid{}),
      text("host_id", "7"),
      port("native_port", 0),
      port("native_port", 65536),
      port("native_port", 0x80000000),
      text("native_port", "9"),
  }));
  CAPTURE(c.column.name);
  CHECK_FALSE(read_peer(with(peer_row(3), c)));
}

TEST_CASE("names and tokens may be as long, and tokens as many, as is allowed") {
  const std::string long_text(ring_text_max, 'x');
  const std::vector<std::string_view> many(node_tokens_max, long_text);
  CHECK(read_peer(with(with(peer_row(3), text("rack", long_text)), texts("tokens", many))));
}

TEST_CASE("without a node that describes itself there is no ring") {
  for (const auto* const name : {"host_id", "tokens", "data_center", "rack", "cluster_name",
                                 "partitioner", "cql_version", "native_protocol_version"}) {
    CAPTURE(name);
    CHECK_FALSE(read({with_null(local_row(), name)}, {peer_row(3)}));
  }
  CHECK_FALSE(read({}, {peer_row(3)}));
  CHECK_FALSE(read({local_row(), local_row()}, {peer_row(3)}));
}

TEST_CASE("of two nodes with one host id, or in one place, the first one counts") {
  const RowOfCells same_id = with(peer_row(4), uuid("host_id", uuid_of(3)));
  const RowOfCells same_place = with(peer_row(5), inet("native_address", ipv4(10, 66, 77, 3)));
  const RowOfCells as_local = with(peer_row(6), uuid("host_id", uuid_of(2)));
  const RowOfCells where_local_is =
      with(with(peer_row(7), inet("native_address", dialled)), port("native_port", 9142));
  const RowOfCells other_port = with(same_place, port("native_port", 9342));
  const auto ring =
      read({local_row()}, {peer_row(3), same_id, same_place, as_local, where_local_is, other_port});
  REQUIRE(ring);
  REQUIRE(ring->nodes.size() == 3);
  CHECK(ring->find(uuid_of(3))->address == ipv4(10, 66, 77, 3));
  CHECK(ring->find(uuid_of(2))->address == dialled);
  CHECK(ring->find(uuid_of(5))->port == 9342);
}

TEST_CASE("a ring of which a page is missing is none") {
  const Buffer local = table_of({local_row()}, {});
  const Buffer peers = table_of({peer_row(3)}, {});
  const auto [more_local, more_peers] = GENERATE(table<bool, bool>({{true, false}, {false, true}}));
  auto local_rows = parse_rows(local);
  auto peers_rows = parse_rows(peers);
  CHECK(read_ring(*local_rows, *peers_rows, {.address = dialled, .port = 9042}));
  local_rows->has_more_pages = more_local;
  peers_rows->has_more_pages = more_peers;
  CHECK_FALSE(read_ring(*local_rows, *peers_rows, {.address = dialled, .port = 9042}));
}

TEST_CASE("a ring with more nodes or tokens than any has is none") {
  const auto peers_of = [](std::size_t count, const std::vector<std::string_view>& tokens) {
    std::vector<RowOfCells> peers;
    const RowOfCells row = with(peer_row(3), texts("tokens", tokens));
    for (std::size_t i = 0; i < count; ++i) {
      Uuid id = uuid_of(9);
      id[0] = static_cast<std::uint8_t>(i >> 8);
      id[1] = static_cast<std::uint8_t>(i);
      peers.push_back(
          with(with(row, uuid("host_id", id)), inet("native_address", ipv4(10, 2, id[0], id[1]))));
    }
    return peers;
  };
  CHECK(read({local_row()}, peers_of(ring_nodes_max - 1, {"7"})));
  CHECK_FALSE(read({local_row()}, peers_of(ring_nodes_max, {"7"})));
  const std::vector<std::string_view> many(node_tokens_max, "7");
  CHECK(read({local_row()}, peers_of(ring_tokens_max / node_tokens_max - 1, many)));
  CHECK_FALSE(read({local_row()}, peers_of(ring_tokens_max / node_tokens_max, many)));
}

}  // namespace gatehouse::cassandra
