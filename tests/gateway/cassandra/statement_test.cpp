#include "gateway/cassandra/statement.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace gatehouse::cassandra {

using Kind = Statement::Kind;

namespace {

Kind kind_of(std::string_view text, std::string_view keyspace = "") {
  return classify(text, keyspace).kind;
}

}  // namespace

TEST_CASE("the tables that show where nodes are are known however they are named") {
  struct Case {
    std::string_view text;
    std::string_view keyspace;
    TopologyTable table;
  };
  const auto c = GENERATE(values<Case>({
      {"SELECT * FROM system.local", "", TopologyTable::local},
      {"select * from system.local where key = 'local'", "shop", TopologyTable::local},
      {"SELECT * FROM SYSTEM.LOCAL;", "", TopologyTable::local},
      {"SELECT * FROM system.peers", "", TopologyTable::peers},
      {"SELECT * FROM system . peers_v2", "", TopologyTable::peers_v2},
      {R"(SELECT * FROM "system"."peers_v2")", "", TopologyTable::peers_v2},
      {R"(SELECT * FROM system."peers")", "", TopologyTable::peers},
      {"SELECT * FROM peers_v2", "system", TopologyTable::peers_v2},
      {R"(SELECT * FROM "peers")", "system", TopologyTable::peers},
      {"SELECT/**/*FROM/**/system/*.x*/./**/peers//\n;;", "", TopologyTable::peers},
      {"-- SELECT * FROM shop.t\nSELECT * FROM system.peers", "", TopologyTable::peers},
      {"// x\r\n\tSELECT\n*\nFROM\nsystem.peers\n", "", TopologyTable::peers},
      {"/*/ */SELECT * FROM system.peers -- that is all", "", TopologyTable::peers},
  }));
  CAPTURE(c.text);
  const Statement statement = classify(c.text, c.keyspace);
  REQUIRE(statement.kind == Kind::topology);
  CHECK(statement.select.table == c.table);
}

TEST_CASE("a table of the same name elsewhere is a table like any other") {
  CHECK(kind_of("SELECT * FROM peers") == Kind::other);
  CHECK(kind_of("SELECT * FROM peers", "shop") == Kind::other);
  CHECK(kind_of("SELECT * FROM shop.peers", "system") == Kind::other);
  CHECK(kind_of("SELECT * FROM \"system.peers\"", "shop") == Kind::other);
  CHECK(kind_of("SELECT system.peers FROM shop.t", "shop") == Kind::other);
  CHECK(kind_of("SELECT a FROM t WHERE b = 'FROM system.peers'", "shop") == Kind::other);
  CHECK(kind_of("SELECT a FROM t -- FROM system.peers", "shop") == Kind::other);
  CHECK(kind_of("SELECT \"from\" FROM systems.peers") == Kind::other);
}

TEST_CASE("what is not known of a topology table is unreadable, never another statement") {
  const auto text = GENERATE(values<std::string_view>({
      "SELECT JSON * FROM system.peers",
      "SELECT DISTINCT peer FROM system.peers",
      "SELECT toJson(rpc_address) FROM system.peers",
      "SELECT CAST(rpc_address AS text) FROM system.peers",
      "SELECT blobAsText(inetAsBlob(peer)) FROM system.peers",
      "SELECT count(*), max(peer) FROM system.peers",
      "SELECT count(1) FROM system.local",
      "SELECT WRITETIME(rpc_address) FROM system.local",
      "SELECT tokens['1'] FROM system.local",
      "SELECT (text)peer FROM system.peers",
      "SELECT ? FROM system.local",
      "SELECT * FROM system.peers WHERE peer IN ('10.0.0.1')",
      "SELECT * FROM system.peers WHERE peer > '10.0.0.1' ALLOW FILTERING",
      "SELECT * FROM system.peers WHERE token(peer) = 1",
      "SELECT * FROM system.peers WHERE peer = $1",
      "SELECT * FROM system.peers WHERE peer = '10.0.0.1' OR",
      "SELECT * FROM system.peers_v2 WHERE peer_port = 0x1B58",
      "SELECT * FROM system.peers_v2 WHERE peer_port = 70000000000",
      "SELECT * FROM system.peers_v2 WHERE (peer, peer_port) = ('10.0.0.1', 7000)",
      "SELECT * FROM system.peers GROUP BY peer",
      "SELECT * FROM system.peers ORDER BY peer",
      "SELECT * FROM system.peers PER PARTITION LIMIT 1",
      "SELECT * FROM system.peers LIMIT -1",
      "SELECT * FROM system.peers LIMIT '1'",
      "SELECT * FROM system.peers ALLOW",
      "SELECT * FROM system.peers x",
      "SELECT * FROM system.peers; SELECT 1",
      "SELECT * , peer FROM system.peers",
      "SELECT peer, FROM system.peers",
      "SELECT peer AS FROM system.peers",
      "SELECT FROM system.peers",
      "SELECT now(), peer FROM system.local",
      "SELECT now() FROM system.peers",
      "SELECT now() FROM system.local WHERE rpc_address = '10.0.0.1' ALLOW FILTERING",
      "SELECT now() FROM system.local WHERE key = ?",
      "SELECT todate(peer) FROM system.local",
      "SELECT now(), \"now\"() FROM system.local",
      "SELECT system.now() FROM system.local",
  }));
  CAPTURE(text);
  CHECK(kind_of(text) == Kind::unreadable);
}

TEST_CASE("a SELECT that cannot be followed to its table is unreadable") {
  const auto text = GENERATE(values<std::string_view>({
      "SELECT",
      "SELECT * FROM",
      "SELECT * FRM system.peers",
      "SELECT * FROM ?",
      "SELECT * FROM 1system.peers",
      "SELECT * FROM system.",
      "SELECT * FROM system.?",
      "SELECT * FROM \"\".peers",
      "SELECT * FROM c.system.peers",
      "SELECT * FROM shop.t FROM system.peers",
      "SELECT 'a FROM shop.t",
      "SELECT \"a FROM shop.t",
      "SELECT $$ FROM shop.t",
      "SELECT /* * FROM shop.t",
      "SELECT a FROM shop.t WHERE b = 'it''s",
      "SELECT a FROM shop.t WHERE b = `c`",
      "SELECT\f* FROM shop.t",
      "SELECT * FROM \xD1\x95ystem.peers",
  }));
  CAPTURE(text);
  CHECK(kind_of(text) == Kind::unreadable);
}

TEST_CASE("other tables of system keyspaces are named") {
  struct Case {
    std::string_view text;
    std::string_view keyspace;
    std::string_view in_keyspace;
    std::string_view table;
  };
  const auto c = GENERATE(values<Case>({
      {"SELECT * FROM system_schema.keyspaces", "", "system_schema", "keyspaces"},
      {"SELECT * from system_virtual_schema.columns", "", "system_virtual_schema", "columns"},
      {"SELECT * FROM clients", "system_views", "system_views", "clients"},
      {"SELECT JSON * FROM System_Views.Clients", "", "system_views", "clients"},
      {R"(SELECT * FROM "SYSTEM".peers)", "", "SYSTEM", "peers"},
      {R"(SELECT * FROM system."Peers")", "", "system", "Peers"},
      {R"(SELECT * FROM "system"." peers")", "", "system", " peers"},
      {"SELECT a\nFROM system_traces.sessions WHERE b > 1 ALLOW FILTERING", "", "system_traces",
       "sessions"},
  }));
  CAPTURE(c.text);
  const Statement statement = classify(c.text, c.keyspace);
  CHECK(statement.kind == Kind::system_select);
  CHECK(statement.keyspace == c.in_keyspace);
  CHECK(statement.table == c.table);
}

TEST_CASE("a change of a system table is one, since a condition shows its rows") {
  const auto text = GENERATE(values<std::string_view>({
      "INSERT INTO system.local (key) VALUES ('local') IF NOT EXISTS",
      "INSERT INTO \"system\".local JSON '{}'",
      "UPDATE system.local SET rack = 'a' WHERE key = 'local' IF rpc_address = '10.0.0.1'",
      "DELETE FROM system.local WHERE key = 'local' IF rack = 'x'",
      "DELETE rack FROM system.peers_v2 WHERE peer = '10.0.0.1'",
      "TRUNCATE system_traces.sessions",
      "TRUNCATE TABLE system_traces.sessions",
      "TRUNCATE COLUMNFAMILY system_traces.sessions",
      "BEGIN BATCH INSERT INTO system.local (key) VALUES ('local') IF NOT EXISTS; APPLY BATCH",
      "BEGIN UNLOGGED BATCH UPDATE t SET a = 1 DELETE FROM system.local IF EXISTS APPLY BATCH",
      "BEGIN BATCH UPDATE shop.t SET a = 1; UPDATE system.local SET rack = 'a'; APPLY BATCH",
  }));
  CAPTURE(text);
  CHECK(kind_of(text, "shop") == Kind::system_change);
}

TEST_CASE("names without a keyspace are in the one that is used") {
  CHECK(kind_of("INSERT INTO local (key) VALUES ('local') IF NOT EXISTS", "system") ==
        Kind::system_change);
  CHECK(kind_of("BEGIN BATCH DELETE FROM local WHERE key = 'local' IF EXISTS; APPLY BATCH",
                "system") == Kind::system_change);
  CHECK(kind_of("INSERT INTO local (key) VALUES ('local') IF NOT EXISTS", "shop") == Kind::other);
  CHECK(kind_of("TRUNCATE local", "shop") == Kind::other);
}

TEST_CASE("what concerns no system table is another statement") {
  const auto text = GENERATE(values<std::string_view>({
      "",
      " -- nothing",
      "SELECT * FROM shop.t",
      "SELECT JSON DISTINCT a, max(b) AS c FROM shop.t WHERE d IN (?, :e) GROUP BY a LIMIT 1ms",
      "SELECT a FROM shop.t WHERE b = 10\xC2\xB5s",
      "SELECT \"\" FROM shop.t WHERE \"\" = 1",
      "SELECT peer FROM systematic.peers",
      "INSERT INTO shop.t (system, local) VALUES ('system.local', $$system.local$$)",
      "INSERT INTO shop.t JSON '{\"a\": \"FROM system.peers\"}'",
      "UPDATE shop.t SET system = 'FROM system.local' WHERE a = 1",
      "DELETE system FROM shop.t WHERE a = 'FROM system.local'",
      "TRUNCATE TABLE shop.t",
      "BEGIN BATCH UPDATE t SET a = 'FROM system.t'; DELETE FROM t WHERE a = 1 APPLY BATCH",
      "BEGIN BATCH INSERT INTO shop.t (a) VALUES (1) APPLY BATCH",
      "GRANT SELECT ON system.peers TO alice",
      "REVOKE SELECT ON system.peers FROM alice",
      "LIST ALL PERMISSIONS",
      "ADD IDENTITY 'a' TO ROLE 'b'",
  }));
  CAPTURE(text);
  CHECK(kind_of(text, "shop") == Kind::other);
}

TEST_CASE("what creates, alters or drops anything is a definition") {
  const auto text = GENERATE(values<std::string_view>({
      "CREATE TABLE shop.t (a int PRIMARY KEY)",
      "CREATE FUNCTION shop.f(a int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS $$ 'x $$",
      "ALTER KEYSPACE system_auth WITH replication = {}",
      "drop table shop.t",
  }));
  CAPTURE(text);
  CHECK(kind_of(text, "shop") == Kind::definition);
}

TEST_CASE("a statement that begins like none is unreadable") {
  const auto text = GENERATE(values<std::string_view>({
      "(SELECT * FROM system.peers)",
      "; SELECT * FROM system.peers",
      "\"SELECT\" * FROM system.peers",
      "\xEF\xBB\xBFSELECT * FROM system.peers",
      "EXPLAIN SELECT * FROM system.peers",
      "SELECTS * FROM system.peers",
      "1 SELECT * FROM system.peers",
      "$$ $$ SELECT * FROM system.peers",
      "/* SELECT * FROM shop.t",
      "INSERT system.local (key) VALUES ('local')",
      "DELETE a",
      "DELETE FROM shop.t WHERE a FROM system.peers",
      "UPDATE ? SET a = 1",
      "TRUNCATE",
      "BEGIN BATCH UPDATE ? SET a = 1 APPLY BATCH",
      "BEGIN BATCH UPDATE shop.t SET a = 'b APPLY BATCH",
  }));
  CAPTURE(text);
  CHECK(kind_of(text, "shop") == Kind::unreadable);
}

TEST_CASE("USE says which keyspace") {
  const auto [text, keyspace] = GENERATE(table<std::string_view, std::string_view>({
      {"USE shop", "shop"},
      {"use SHOP;", "shop"},
      {R"(USE "Shop" -- quoted)", "Shop"},
      {"USE/**/system;;", "system"},
      {R"(USE "system")", "system"},
  }));
  CAPTURE(text);
  const Statement statement = classify(text, "");
  CHECK(statement.kind == Kind::use);
  CHECK(statement.keyspace == keyspace);
}

TEST_CASE("a USE that is not one is unreadable") {
  const auto text = GENERATE(values<std::string_view>(
      {"USE", "USE ?", "USE a b", "USE 'a'", "USE \"\"", "USE a; USE b", "USE a /*"}));
  CAPTURE(text);
  CHECK(kind_of(text) == Kind::unreadable);
}

TEST_CASE("of descriptions only the cluster's shows addresses") {
  CHECK(kind_of("DESCRIBE CLUSTER") == Kind::describe_cluster);
  CHECK(kind_of("desc /**/ Cluster;") == Kind::describe_cluster);
  CHECK(kind_of("DESCRIBE FULL SCHEMA") == Kind::describe);
  CHECK(kind_of("DESC KEYSPACE system") == Kind::describe);
  CHECK(kind_of("DESCRIBE \"cluster\"") == Kind::describe);
  CHECK(kind_of("DESCRIBE") == Kind::unreadable);
  CHECK(kind_of("DESCRIBE 'cluster'") == Kind::unreadable);
}

TEST_CASE("functions of system.local that show nothing of it pass") {
  const auto text = GENERATE(values<std::string_view>({
      "SELECT now() FROM system.local",
      "SELECT toTimestamp(now()) AS t, uuid() FROM system.local WHERE key = 'local' LIMIT 1;",
      "select currentTimestamp() from local",
  }));
  CAPTURE(text);
  CHECK(kind_of(text, "system") == Kind::functions_of_local);
}

TEST_CASE("keyspaces are the system's by their name alone") {
  const auto name = GENERATE(
      values<std::string_view>({"system", "SYSTEM", "system_schema", "System_Views", "system_"}));
  CHECK(is_system_keyspace(name));
  const auto user =
      GENERATE(values<std::string_view>({"", "syste", "systems", "my_system", " system"}));
  CHECK_FALSE(is_system_keyspace(user));
}

}  // namespace gatehouse::cassandra
