#include "gateway/cassandra/topology_select.h"

#include <string>

#include <catch2/catch.hpp>

#include "gateway/cassandra/statement.h"

namespace gatehouse::cassandra {

namespace {

TopologySelect select_of(std::string_view text) {
  const Statement statement = classify(text, "");
  REQUIRE(statement.kind == Statement::Kind::topology);
  return statement.select;
}

Operand text(std::string value) {
  return {.kind = Operand::Kind::text, .text = std::move(value)};
}
Operand number(std::string digits) {
  return {.kind = Operand::Kind::number, .text = std::move(digits)};
}
Operand marker(std::size_t place) {
  return {.kind = Operand::Kind::marker, .marker = place};
}

}  // namespace

TEST_CASE("what real drivers ask for is understood") {
  using Table = TopologyTable;
  struct Case {
    std::string_view text;
    TopologySelect select;
  };
  const auto c = GENERATE(values<Case>({
      {"SELECT * FROM system.peers_v2", {.table = Table::peers_v2}},
      {"SELECT * FROM system.local WHERE key='local'",
       {.table = Table::local, .where = {{"key", text("local")}}}},
      {"SELECT cluster_name FROM system.local",
       {.table = Table::local, .selectors = {{.column = "cluster_name"}}}},
      {"select release_version, cluster_name from system.local",
       {.table = Table::local,
        .selectors = {{.column = "release_version"}, {.column = "cluster_name"}}}},
      {"SELECT host_id, rpc_address, data_center, rack, tokens, cluster_name FROM system.local "
       "WHERE key='local'",
       {.table = Table::local,
        .selectors = {{.column = "host_id"},
                      {.column = "rpc_address"},
                      {.column = "data_center"},
                      {.column = "rack"},
                      {.column = "tokens"},
                      {.column = "cluster_name"}},
        .where = {{"key", text("local")}}}},
      {"SELECT * FROM system.peers_v2 WHERE peer = :address and peer_port = :port",
       {.table = Table::peers_v2,
        .where = {{"peer", marker(0)}, {"peer_port", marker(1)}},
        .markers = {"address", "port"}}},
  }));
  CAPTURE(c.text);
  CHECK(select_of(c.text) == c.select);
}

TEST_CASE("aliases, counts, quotes, limits and filtering are understood") {
  const TopologySelect select =
      select_of(R"(SELECT count ( * ) AS "How many", Peer AS p, "Rack", count FROM system.peers)"
                R"( WHERE "peer" = ? AND RACK = $$r'1$$ AND x = 007 LIMIT ? ALLOW FILTERING ; ;)");
  CHECK(select ==
        TopologySelect{.table = TopologyTable::peers,
                       .selectors = {{.is_count = true, .alias = "How many"},
                                     {.column = "peer", .alias = "p"},
                                     {.column = "Rack"},
                                     {.column = "count"}},
                       .where = {{"peer", marker(0)}, {"rack", text("r'1")}, {"x", number("007")}},
                       .limit = marker(1),
                       .markers = {"", ""}});
  CHECK(select_of("SELECT * FROM system.peers LIMIT 10").limit == number("10"));
}

TEST_CASE("more selectors or relations than anyone writes are unreadable") {
  const auto [count, kind] = GENERATE(table<int, Statement::Kind>({
      {64, Statement::Kind::topology},
      {65, Statement::Kind::unreadable},
  }));
  std::string selectors = "SELECT rack";
  for (int i = 1; i < count; ++i) selectors += ", rack";
  CHECK(classify(selectors + " FROM system.local", "").kind == kind);

  std::string relations = "SELECT * FROM system.local WHERE key = 'local'";
  for (int i = 1; i < count / 4; ++i) relations += " AND key = 'local'";
  CHECK(classify(relations, "").kind == Statement::Kind::topology);
  CHECK(classify(relations + " AND key = 'local'", "").kind == Statement::Kind::unreadable);
}

}  // namespace gatehouse::cassandra
