// What the ids of prepared statements mean, for all sessions of a server: an EXECUTE says an id and
// no more, and drivers execute on one connection what they prepared on another.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "gateway/cassandra/bytes.h"
#include "gateway/cassandra/topology_select.h"

namespace gatehouse::cassandra {

// The node has prepared it, and it may pass.
struct OrdinaryStatement {
  bool operator==(const OrdinaryStatement&) const = default;
};
// The node has prepared it, and it may pass; executing it changes the schema.
struct DefinitionStatement {
  bool operator==(const DefinitionStatement&) const = default;
};
// The node has prepared it; executing it changes the connection's keyspace.
struct UseStatement {
  std::string keyspace;

  bool operator==(const UseStatement&) const = default;
};
// No node knows it.
struct TopologyStatement {
  TopologySelect select;
  bool has_ports = true;  // of the ring for which it was prepared: whether its columns are still so

  bool operator==(const TopologyStatement&) const = default;
};
// In the order in which they let through less.
using StatementMeaning =
    std::variant<OrdinaryStatement, DefinitionStatement, UseStatement, TopologyStatement>;

// Of all of a table, which is divided evenly among its shards.
struct PreparedLimits {
  std::size_t entries = std::size_t{64} * 1024;
  std::size_t bytes = std::size_t{32} * 1024 * 1024;
};

// Any thread. What is forgotten is answered as unknown, and drivers then prepare it again.
//
// What has been used since it was prepared is kept apart from what has not: new statements, however
// many a client prepares, push out each other. Three quarters are for those that were used, of
// which the one that was not for longest goes back among the new, and may be used once more.
class PreparedStatements {
 public:
  static constexpr std::size_t shard_count = 16;
  static constexpr std::size_t id_size_max = 64;  // Cassandra's have 16 bytes
  static constexpr std::size_t meaning_size_max = std::size_t{64} * 1024;

  explicit PreparedStatements(const PreparedLimits& limits = {}) noexcept;

  // False: id or meaning is longer than any that is wanted, and nothing is remembered. Should nodes
  // give one id twice, it keeps the meaning that lets through less.
  [[nodiscard]] bool remember(Bytes id, StatementMeaning meaning);
  // No value: unknown, or forgotten. Counts as use.
  [[nodiscard]] std::optional<StatementMeaning> find(Bytes id);

 private:
  struct Entry {
    std::string id;
    StatementMeaning meaning;
    bool is_used = false;
  };
  // The most recent one first.
  struct Queue {
    std::list<Entry> entries;
    std::size_t bytes = 0;
  };
  // A lock that is held for one operation, in one of many shards. A tree, since clients have a say
  // in the ids: a hash table could be made slow.
  struct Shard {
    std::mutex mutex;
    Queue fresh;
    Queue used;
    std::map<std::string_view, std::list<Entry>::iterator> by_id;
  };

  [[nodiscard]] Shard& shard_of(std::string_view id) noexcept;
  static void move_to_front(Queue& to, Queue& from, std::list<Entry>::iterator entry) noexcept;
  [[nodiscard]] bool is_above(std::size_t entries, std::size_t bytes,
                              unsigned quarters) const noexcept;
  void make_room(Shard& shard) const noexcept;
  static std::size_t size_of(const Entry& entry) noexcept;

  PreparedLimits limits_;  // of each shard
  std::array<Shard, shard_count> shards_;
};

}  // namespace gatehouse::cassandra
