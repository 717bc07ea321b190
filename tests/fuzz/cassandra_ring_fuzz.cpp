// How a node describes its ring: two RESULTs, of system.local and of its peers. The input: two
// bytes that say how long the first is, and then both.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gateway/cassandra/ring_reader.h"
#include "tests/fuzz/require.h"

namespace gatehouse::cassandra {

using fuzz::require;

namespace {

const ReadFrom dialled{.address = {.octets = {10, 66, 77, 1}, .size = 4}, .port = 9042};

void check_text(const std::string& text) {
  require(text.size() <= ring_text_max, "no text is long");
}

void check_ring(const Ring& ring) {
  require(!ring.nodes.empty() && ring.nodes.size() <= ring_nodes_max, "a ring has a node");
  std::set<Uuid> host_ids;
  std::set<std::pair<std::vector<std::uint8_t>, std::uint16_t>> places;
  std::size_t tokens = 0;
  for (const Node& node : ring.nodes) {
    require(host_ids.insert(node.host_id).second, "each node is there once");
    const Bytes address = node.address.bytes();
    require(places.insert({{address.begin(), address.end()}, node.port}).second,
            "no two nodes are in one place");
    require(node.port != 0, "a node can be dialled");
    require(node.tokens.size() <= node_tokens_max, "no node has too many tokens");
    tokens += node.tokens.size();
    for (const std::string& token : node.tokens) check_text(token);
    check_text(node.data_center);
    check_text(node.rack);
    require(ring.find(node.host_id) == &node, "each node is found");
  }
  require(tokens <= ring_tokens_max, "there are not too many tokens");
  require(std::ranges::is_sorted(ring.nodes, {}, &Node::host_id), "nodes stand by their host ids");
  check_text(ring.cluster_name);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Bytes input(data + 2, size - 2);
  const std::size_t length = std::min(std::size_t{data[0]} << 8 | data[1], input.size());
  const auto local = parse_rows(input.first(length));
  const auto peers = parse_rows(input.subspan(length));
  if (!local) return 0;
  const auto alone = read_lone_node(*local, dialled);
  if (alone) {
    check_ring(*alone);
    require(alone->nodes.size() == 1, "a lone node is alone");
  }
  if (!peers) return 0;
  const auto ring = read_ring(*local, *peers, dialled);
  if (!ring) return 0;
  check_ring(*ring);
  require(alone.has_value(), "a node that describes its ring describes itself");
  require(ring->find(alone->nodes.front().host_id) != nullptr, "who was asked is in the ring");
  return 0;
}

}  // namespace gatehouse::cassandra
