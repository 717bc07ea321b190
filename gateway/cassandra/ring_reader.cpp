#include "gateway/cassandra/ring_reader.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace gatehouse::cassandra {

namespace {

// The cells of one row.
struct Row {
  const Rows& rows;
  std::uint32_t index;

  [[nodiscard]] Value cell(std::string_view name) const noexcept { return rows.cell(index, name); }
};

// Where a table says where a node is.
struct EndpointColumns {
  std::string_view address;
  std::string_view port;  // not a column of every table
};

bool has_column(const Rows& rows, std::string_view name) noexcept {
  return std::ranges::find(rows.columns, name, &Column::name) != rows.columns.end();
}

// Not empty: none of Cassandra's is, and to a driver it would be a name.
std::optional<std::string> read_text(const Value& cell) {
  const auto text = text_in(cell);
  if (!text || text->empty() || text->size() > ring_text_max) return std::nullopt;
  return std::string(*text);
}

std::optional<std::vector<std::string>> read_tokens(const Value& cell) {
  const auto texts = texts_in(cell);
  if (!texts || texts->empty() || texts->size() > node_tokens_max) return std::nullopt;
  const auto is_token = [](std::string_view text) {
    return !text.empty() && text.size() <= ring_text_max;
  };
  if (!std::ranges::all_of(*texts, is_token)) return std::nullopt;
  return std::vector<std::string>(texts->begin(), texts->end());
}

// No value: null, or a way to say "every address".
std::optional<InetAddress> read_address(const Value& cell) noexcept {
  const auto address = inet_in(cell);
  const auto is_zero = [](std::uint8_t octet) { return octet == 0; };
  if (!address || std::ranges::all_of(address->bytes(), is_zero)) return std::nullopt;
  return address;
}

std::optional<std::uint16_t> read_port(const Value& cell, std::uint16_t otherwise) noexcept {
  if (cell.state == Value::State::null) return otherwise;
  const auto port = int_in(cell);
  if (!port || *port <= 0 || *port > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

std::optional<Node> read_node(const Row& row, const EndpointColumns& columns,
                              std::optional<InetAddress> other_address, std::uint16_t other_port) {
  const auto host_id = uuid_in(row.cell("host_id"));
  const auto listed = read_address(row.cell(columns.address));
  const auto address = listed ? listed : other_address;
  const auto port = read_port(row.cell(columns.port), other_port);
  auto data_center = read_text(row.cell("data_center"));
  auto rack = read_text(row.cell("rack"));
  auto tokens = read_tokens(row.cell("tokens"));
  if (!host_id || *host_id == Uuid{} || !address || !port || !data_center || !rack || !tokens)
    return std::nullopt;
  // Peers may know these two a moment later than the rest.
  return Node{.host_id = *host_id,
              .address = *address,
              .port = *port,
              .data_center = std::move(*data_center),
              .rack = std::move(*rack),
              .release_version = read_text(row.cell("release_version")).value_or(""),
              .schema_version = uuid_in(row.cell("schema_version")).value_or(Uuid{}),
              .tokens = std::move(*tokens)};
}

// Nodes that are all different, to drivers as to find().
class Nodes {
 public:
  // False: that is more than a ring may have.
  bool add(Node node) {
    const Place place{node.address.size, node.address.octets, node.port};
    if (host_ids_.contains(node.host_id) || !places_.insert(place).second) return true;
    host_ids_.insert(node.host_id);
    tokens_ += node.tokens.size();
    nodes_.push_back(std::move(node));
    return nodes_.size() <= ring_nodes_max && tokens_ <= ring_tokens_max;
  }

  [[nodiscard]] std::vector<Node> take_sorted() {
    std::ranges::sort(nodes_, {}, &Node::host_id);
    return std::move(nodes_);
  }

 private:
  using Place = std::tuple<std::uint8_t, std::array<std::uint8_t, 16>, std::uint16_t>;

  std::set<Uuid> host_ids_;
  std::set<Place> places_;
  std::size_t tokens_ = 0;
  std::vector<Node> nodes_;
};

// All but the nodes.
std::optional<Ring> read_cluster(const Row& local) {
  auto cluster_name = read_text(local.cell("cluster_name"));
  auto partitioner = read_text(local.cell("partitioner"));
  auto cql_version = read_text(local.cell("cql_version"));
  auto native_protocol_version = read_text(local.cell("native_protocol_version"));
  if (!cluster_name || !partitioner || !cql_version || !native_protocol_version) {
    return std::nullopt;
  }
  return Ring{.cluster_name = std::move(*cluster_name),
              .partitioner = std::move(*partitioner),
              .cql_version = std::move(*cql_version),
              .native_protocol_version = std::move(*native_protocol_version),
              .nodes = {}};
}

}  // namespace

std::optional<Ring> read_ring(const Rows& local, const Rows& peers, const ReadFrom& from) {
  if (local.count != 1 || local.has_more_pages || peers.has_more_pages) return std::nullopt;
  const Row local_row{local, 0};
  auto ring = read_cluster(local_row);
  auto asked = read_node(local_row, {"rpc_address", "rpc_port"}, from.address, from.port);
  if (!ring || !asked) return std::nullopt;

  Nodes nodes;
  if (!nodes.add(std::move(*asked))) return std::nullopt;
  ring->has_ports = has_column(peers, "native_address");
  const EndpointColumns columns = ring->has_ports ? EndpointColumns{"native_address", "native_port"}
                                                  : EndpointColumns{"rpc_address", "rpc_port"};
  for (std::uint32_t i = 0; i < peers.count; ++i) {
    const Row row{peers, i};
    auto node = read_node(row, columns, read_address(row.cell("peer")), from.port);
    if (node && !nodes.add(std::move(*node))) return std::nullopt;
  }
  ring->nodes = nodes.take_sorted();
  return ring;
}

std::optional<Ring> read_lone_node(const Rows& local, const ReadFrom& from) {
  auto ring = read_ring(local, Rows{}, from);
  if (ring) ring->has_ports = has_column(local, "rpc_port");
  return ring;
}

}  // namespace gatehouse::cassandra
