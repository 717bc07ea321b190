// SELECTs from the tables that say where nodes are, as far as drivers and people write them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "gateway/cassandra/tokens.h"

namespace gatehouse::cassandra {

enum class TopologyTable { local, peers, peers_v2 };  // all in keyspace system

// What stands for a value in a statement.
struct Operand {
  enum class Kind {
    text,    // `text` without quotes
    number,  // `text` is its digits
    marker,  // ? or :name: `marker` is its place in TopologySelect::markers
  };
  Kind kind = Kind::text;
  std::string text{};
  std::size_t marker = 0;

  bool operator==(const Operand&) const = default;
};

struct Selector {
  bool is_count = false;  // count(*): then there is no column
  std::string column{};
  std::string alias{};  // empty: none

  bool operator==(const Selector&) const = default;
};

struct Relation {  // column = value
  std::string column{};
  Operand value{};

  bool operator==(const Relation&) const = default;
};

// Whether columns or functions exist is not looked at.
struct TopologySelect {
  TopologyTable table = TopologyTable::local;
  std::vector<Selector> selectors{};  // empty: *
  std::vector<Relation> where{};      // all must hold
  std::optional<Operand> limit{};     // a number or a marker
  // The names of bind markers, in their order, which is that of their values: empty for ?. What one
  // is compared with has its type; one that stands for the limit is an int.
  std::vector<std::string> markers{};

  bool operator==(const TopologySelect&) const = default;
};

// Where in its statement a SELECT goes on: behind the key word, and behind the table's name.
struct SelectParts {
  TokenReader selectors;
  TokenReader tail;
};

// No value: anything but `*`, columns and count(*), each with an alias or without; WHERE with
// equality to a text, a number or a marker; LIMIT; ALLOW FILTERING; semicolons. More selectors or
// relations than anyone writes.
[[nodiscard]] std::optional<TopologySelect> parse_topology_select(const SelectParts& parts,
                                                                  TopologyTable table);

// Whether nothing is selected but functions that say the time or invent a UUID, with no WHERE but
// for the key of system.local.
[[nodiscard]] bool selects_functions_only(const SelectParts& parts);

}  // namespace gatehouse::cassandra
