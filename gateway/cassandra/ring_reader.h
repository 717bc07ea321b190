// A ring, read from the tables in which a node describes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "gateway/cassandra/ring.h"
#include "gateway/cassandra/rows.h"

namespace gatehouse::cassandra {

// More than any cluster has. What one node makes up must not fill memory; and every client may ask
// for all of it.
inline constexpr std::size_t ring_nodes_max = 4096;
inline constexpr std::size_t ring_tokens_max = std::size_t{1} << 20;
inline constexpr std::size_t node_tokens_max = 4096;
inline constexpr std::size_t ring_text_max = 255;  // of a name or a token, in bytes

// Where the gateway dialled the node whose tables these are.
struct ReadFrom {
  InetAddress address{};
  std::uint16_t port = 0;
};

// `local`: all columns of system.local; `peers`: of system.peers_v2 or, on a node that does not
// have it, of system.peers: there all nodes are on the port that was dialled. A node that listens
// on every address is where it was dialled, or where its peers know it.
//
// Peers that are not fully described yet are left out, as drivers do; so is the second of two that
// claim one host id, or one address and port, where the node that was asked comes first. No value:
// that node does not describe itself, or there is more to the ring than was read or is allowed.
[[nodiscard]] std::optional<Ring> read_ring(const Rows& local, const Rows& peers,
                                            const ReadFrom& from);

// The same of a node alone, by all columns of its system.local: for clients that are to know of no
// other.
[[nodiscard]] std::optional<Ring> read_lone_node(const Rows& local, const ReadFrom& from);

}  // namespace gatehouse::cassandra
