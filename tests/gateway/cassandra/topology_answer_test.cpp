#include "gateway/cassandra/topology_answer.h"

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "gateway/cassandra/cell.h"
#include "gateway/cassandra/invented.h"
#include "gateway/cassandra/topology_columns.h"
#include "tests/gateway/cassandra/frames.h"
#include "tests/gateway/cassandra/topology_asked.h"

namespace gatehouse::cassandra {

using test::answer;
using test::AnsweredRows;
using test::BoundBytes;
using test::Buffer;
using test::copy;
using test::from_hex;
using test::refusal_in;
using test::uuid_of;

namespace {

const InetAddress public_address = test::ipv4(203, 0, 113, 10);
const InetAddress stand_in_of_second{.octets = {0xfd, 0x1b, 0xe2, 0x4c, 0x8d, 0x70, 0x93, 0xf6,
                                                0xb5, 0x0e, 0x21, 0xd7, 0x68, 0x3c, 0x9a, 0x01},
                                     .size = 16};
constexpr std::string_view text_of_second = "fd1b:e24c:8d70:93f6:b50e:21d7:683c:9a01";

// Every value that is not null, by column.
std::string set_columns(const AnsweredRows& answered) {
  std::string names;
  for (const Column& column : answered.rows.columns) {
    if (answered.cell(column.name).state == Value::State::set) {
      names += std::string(column.name) + " ";
    }
  }
  return names;
}

bool holds(Bytes bytes, Bytes part) {
  return !std::ranges::search(bytes, part).empty();
}

struct Fixture {
  Ring ring = test::ring_of_three();
  TopologyView view = test::view_of(ring);
};

}  // namespace

TEST_CASE_METHOD(Fixture, "system.local is the node that the connection is with") {
  const AnsweredRows local("SELECT * FROM system.local WHERE key='local'", view);
  REQUIRE(local.rows.count == 1);
  CHECK_FALSE(local.rows.has_more_pages);
  CHECK(local.rows.columns.size() == 20);
  CHECK(text_in(local.cell("key")) == "local");
  CHECK(text_in(local.cell("bootstrapped")) == "COMPLETED");
  CHECK(inet_in(local.cell("broadcast_address")) == stand_in_address(uuid_of(0)));
  CHECK(int_in(local.cell("broadcast_port")) == 7000);
  CHECK(text_in(local.cell("cluster_name")) == "Events");
  CHECK(text_in(local.cell("cql_version")) == "3.4.7");
  CHECK(text_in(local.cell("data_center")) == "dc1");
  CHECK(local.cell("gossip_generation").state == Value::State::null);
  CHECK(uuid_in(local.cell("host_id")) == uuid_of(0));
  CHECK(inet_in(local.cell("listen_address")) == stand_in_address(uuid_of(0)));
  CHECK(int_in(local.cell("listen_port")) == 7000);
  CHECK(text_in(local.cell("native_protocol_version")) == "5");
  CHECK(text_in(local.cell("partitioner")) == "org.apache.cassandra.dht.Murmur3Partitioner");
  CHECK(text_in(local.cell("rack")) == "rack0");
  CHECK(text_in(local.cell("release_version")) == "5.0.9");
  CHECK(inet_in(local.cell("rpc_address")) == public_address);
  CHECK(int_in(local.cell("rpc_port")) == 19042);
  CHECK(uuid_in(local.cell("schema_version")) == uuid_of(0x77));
  CHECK(texts_in(local.cell("tokens")) == std::vector<std::string_view>{"-1", "100"});
  CHECK(local.cell("truncated_at").state == Value::State::null);
}

TEST_CASE_METHOD(Fixture, "system.peers_v2 is the other nodes, where the gateway has them") {
  const AnsweredRows peers("SELECT * FROM system.peers_v2", view);
  REQUIRE(peers.rows.count == 2);
  CHECK(peers.rows.columns.size() == 12);
  CHECK(inet_in(peers.cell("peer")) == stand_in_of_second);
  CHECK(int_in(peers.cell("peer_port")) == 7000);
  CHECK(text_in(peers.cell("data_center")) == "dc1");
  CHECK(uuid_in(peers.cell("host_id")) == uuid_of(1));
  CHECK(inet_in(peers.cell("native_address")) == public_address);
  CHECK(int_in(peers.cell("native_port")) == 19043);
  CHECK(peers.cell("preferred_ip").state == Value::State::null);
  CHECK(peers.cell("preferred_port").state == Value::State::null);
  CHECK(text_in(peers.cell("rack")) == "rack1");
  CHECK(text_in(peers.cell("release_version")) == "5.0.9");
  CHECK(uuid_in(peers.cell("schema_version")) == uuid_of(0x77));
  CHECK(texts_in(peers.cell("tokens")) == std::vector<std::string_view>{"-2", "101"});
  CHECK(uuid_in(peers.cell("host_id", 1)) == uuid_of(2));
  CHECK(int_in(peers.cell("native_port", 1)) == 19044);
}

TEST_CASE_METHOD(Fixture, "system.peers is the other nodes, without ports") {
  const AnsweredRows peers("SELECT * FROM system.peers", view);
  REQUIRE(peers.rows.count == 2);
  CHECK(peers.rows.columns.size() == 9);
  CHECK(inet_in(peers.cell("peer")) == stand_in_of_second);
  CHECK(inet_in(peers.cell("rpc_address")) == public_address);
  CHECK(set_columns(peers) ==
        "peer data_center host_id rack release_version rpc_address schema_version tokens ");
}

TEST_CASE_METHOD(Fixture, "system.peers is empty where it is not to list nodes") {
  view.lists_old_peers = false;
  CHECK(AnsweredRows("SELECT * FROM system.peers", view).rows.count == 0);
  CHECK(AnsweredRows("SELECT * FROM system.peers_v2", view).rows.count == 2);
  CHECK(bigint_in(AnsweredRows("SELECT count(*) FROM system.peers", view).cell("count")) == 0);
}

TEST_CASE("a cluster without ports has the tables of its version") {
  const Ring ring = test::ring_of_three(false);
  const TopologyView view = test::view_of(ring);
  const AnsweredRows local("SELECT * FROM system.local", view);
  CHECK(set_columns(local) ==
        "key bootstrapped broadcast_address cluster_name cql_version data_center host_id "
        "listen_address native_protocol_version partitioner rack release_version rpc_address "
        "schema_version tokens ");
  CHECK(AnsweredRows("SELECT * FROM system.peers", view).rows.count == 2);
  CHECK(refusal_in(answer("SELECT * FROM system.peers_v2", view)) == "unconfigured table peers_v2");
  CHECK(refusal_in(answer("SELECT rpc_port FROM system.local", view)) ==
        "Undefined column name rpc_port in table system.local");
}

TEST_CASE_METHOD(Fixture, "what is not known of a peer yet is null, as with Cassandra") {
  ring.nodes[1].release_version.clear();
  ring.nodes[1].schema_version = {};
  const AnsweredRows peers("SELECT * FROM system.peers_v2", view);
  CHECK(peers.cell("release_version").state == Value::State::null);
  CHECK(peers.cell("schema_version").state == Value::State::null);
  CHECK(peers.cell("schema_version", 1).state == Value::State::set);
}

TEST_CASE_METHOD(Fixture, "what drivers ask for has the columns and rows that they expect") {
  struct Case {
    std::string_view text;
    std::string_view columns;
    std::uint32_t rows;
  };
  const auto c = GENERATE(values<Case>({
      {"SELECT cluster_name FROM system.local", "cluster_name ", 1},
      {"select key from system.local", "key ", 1},
      {"select release_version, cluster_name from system.local;", "release_version cluster_name ",
       1},
      {"SELECT schema_version FROM system.local WHERE key='local'", "schema_version ", 1},
      {"SELECT schema_version FROM system.peers", "schema_version ", 2},
      {"SELECT host_id, rpc_address, data_center, rack, tokens FROM system.peers",
       "host_id rpc_address data_center rack tokens ", 2},
      {"SELECT host_id, rpc_address, data_center, rack, tokens, cluster_name FROM system.local "
       "WHERE key='local'",
       "host_id rpc_address data_center rack tokens cluster_name ", 1},
      {"SELECT host_id, peer, peer_port, native_address, native_port, schema_version FROM "
       "system.peers_v2",
       "host_id peer peer_port native_address native_port schema_version ", 2},
  }));
  CAPTURE(c.text);
  const AnsweredRows answered(c.text, view);
  CHECK(set_columns(answered) == c.columns);
  CHECK(answered.rows.columns.size() ==
        static_cast<std::size_t>(std::ranges::count(c.columns, ' ')));
  CHECK(answered.rows.count == c.rows);
}

TEST_CASE_METHOD(Fixture, "the driver for Java finds a node that came up by named values") {
  const BoundBytes bound{{"port", test::int_value(7000)},
                         {"address", copy(stand_in_of_second.bytes())}};
  const AnsweredRows peers(
      "SELECT * FROM system.peers_v2 WHERE peer = :address and peer_port = :port", view,
      {.values = bound.values}, {.version = 5, .stream = 0});
  REQUIRE(peers.rows.count == 1);
  CHECK(uuid_in(peers.cell("host_id")) == uuid_of(1));
}

TEST_CASE_METHOD(Fixture, "values bind to markers by place, or by the name of their column") {
  const Buffer address = copy(stand_in_of_second.bytes());
  constexpr std::string_view text = "SELECT * FROM peers_v2 WHERE peer = ? AND rack = ? LIMIT ?";
  const BoundBytes by_place{{"", address}, {"", copy(bytes_of("rack1"))}, {"", test::int_value(1)}};
  CHECK(AnsweredRows(text, view, {.values = by_place.values}).rows.count == 1);
  const BoundBytes by_name{{"[limit]", test::int_value(1)},
                           {"unasked", test::int_value(1)},
                           {"rack", copy(bytes_of("rack1"))},
                           {"peer", address}};
  CHECK(AnsweredRows(text, view, {.values = by_name.values}).rows.count == 1);
  const BoundBytes twice{{"it", address}};
  CHECK(AnsweredRows("SELECT * FROM peers WHERE peer = :it AND peer = :it", view,
                     {.values = twice.values})
            .rows.count == 1);
}

TEST_CASE_METHOD(Fixture, "rows are those in which every named column has the value") {
  const std::string peer = "peer = '" + std::string(text_of_second) + "'";
  const auto [where, rows] = GENERATE_COPY(table<std::string, std::uint32_t>({
      {peer, 1},
      {peer + " AND peer_port = 7000", 1},
      {peer + " AND peer_port = 7001", 0},
      {"peer_port = 07000 ALLOW FILTERING", 2},
      {"peer = '10.66.77.2'", 0},
      {"peer = '203.0.113.10'", 0},
      {"native_address = '203.0.113.10'", 2},
      {"native_port = 19044", 1},
      {"native_port = 9142", 0},
      {"native_address = '::ffff:203.0.113.10'", 2},
      {"rack = 'rack2'", 1},
      {"rack = 'RACK2'", 0},
      {"data_center = 'dc1' AND release_version = '5.0.9'", 2},
      {"preferred_ip = '10.66.77.2'", 0},
  }));
  CAPTURE(where);
  CHECK(AnsweredRows("SELECT * FROM peers_v2 WHERE " + where, view).rows.count == rows);
}

TEST_CASE_METHOD(Fixture, "there is no local but the one whose key is so") {
  CHECK(AnsweredRows("SELECT * FROM local WHERE key = 'other'", view).rows.count == 0);
  const BoundBytes bound{{"", copy(bytes_of("local"))}};
  const AnsweredRows local("SELECT * FROM local WHERE key = ?", view, {.values = bound.values});
  CHECK(local.rows.count == 1);
}

TEST_CASE_METHOD(Fixture, "aliases name the columns, and a column may come twice") {
  const AnsweredRows peers(R"(SELECT peer AS p, rack AS "The Rack", rack FROM peers)", view);
  REQUIRE(peers.rows.columns.size() == 3);
  CHECK(inet_in(peers.cell("p")) == stand_in_of_second);
  CHECK(text_in(peers.cell("The Rack")) == "rack1");
  CHECK(text_in(peers.cell("rack")) == "rack1");
}

TEST_CASE_METHOD(Fixture, "rows are counted as a bigint, with the first of them beside it") {
  const AnsweredRows counted("SELECT count(*), rack, count(*) AS n FROM peers LIMIT 1", view);
  REQUIRE(counted.rows.count == 1);
  CHECK(counted.rows.columns[0].name == "count");
  CHECK(counted.rows.columns[0].type == ColumnType{.id = type_id::bigint});
  CHECK(bigint_in(counted.cell("count")) == 2);
  CHECK(bigint_in(counted.cell("n")) == 2);
  CHECK(text_in(counted.cell("rack")) == "rack1");
  const AnsweredRows none("SELECT count(*), rack FROM peers WHERE rack = 'x'", view);
  REQUIRE(none.rows.count == 1);
  CHECK(bigint_in(none.cell("count")) == 0);
  CHECK(none.cell("rack").state == Value::State::null);
}

TEST_CASE_METHOD(Fixture, "a limit is kept, whatever the size of a page") {
  CHECK(AnsweredRows("SELECT * FROM peers LIMIT 1", view).rows.count == 1);
  CHECK(AnsweredRows("SELECT * FROM peers LIMIT 2147483647", view).rows.count == 2);
  const AnsweredRows paged("SELECT * FROM peers", view, {.page_size = 1});
  CHECK(paged.rows.count == 2);
  CHECK_FALSE(paged.rows.has_more_pages);
  const BoundBytes unset(from_hex("fffffffe"), 1);
  CHECK(AnsweredRows("SELECT * FROM peers LIMIT ?", view, {.values = unset.values}).rows.count ==
        2);
}

TEST_CASE_METHOD(Fixture, "what Cassandra refuses is refused in its words") {
  const auto [text, words] = GENERATE(table<std::string_view, std::string_view>({
      {"SELECT nothing FROM local", "Undefined column name nothing in table system.local"},
      {"SELECT \"Key\" FROM local", "Undefined column name Key in table system.local"},
      {"SELECT * FROM peers WHERE native_port = 1",
       "Undefined column name native_port in table system.peers"},
      {"SELECT * FROM peers WHERE peer = 'node-2.example'",
       "Unable to make inet address from 'node-2.example'"},
      {"SELECT * FROM peers WHERE peer = 7",
       "Invalid INTEGER constant (7) for \"peer\" of type inet"},
      {"SELECT * FROM peers WHERE rack = 7",
       "Invalid INTEGER constant (7) for \"rack\" of type text"},
      {"SELECT * FROM peers_v2 WHERE peer_port = '7000'",
       "Invalid STRING constant (7000) for \"peer_port\" of type int"},
      {"SELECT * FROM peers_v2 WHERE peer_port = 2147483648",
       "Unable to make int from '2147483648'"},
      {"SELECT * FROM peers WHERE host_id = 'x'",
       "Invalid STRING constant (x) for \"host_id\" of type uuid"},
      {"SELECT * FROM local WHERE tokens = '1'",
       "Collection column 'tokens' (set<text>) cannot be restricted by a '=' relation"},
      {"SELECT * FROM local WHERE truncated_at = ?",
       "Collection column 'truncated_at' (map<uuid, blob>) cannot be restricted by a '=' relation"},
      {"SELECT * FROM peers LIMIT 0", "LIMIT must be strictly positive"},
      {"SELECT * FROM peers LIMIT 2147483648", "Unable to make int from '2147483648'"},
  }));
  CAPTURE(text);
  CHECK(refusal_in(answer(text, view)) == words);
}

TEST_CASE_METHOD(Fixture, "values that are missing, too many or of a wrong size are refused") {
  struct Case {
    std::string_view where;
    std::uint16_t count;
    Buffer values;
    std::string_view words;
  };
  const auto c = GENERATE(values<Case>({
      {"peer = ?", 0, {}, "Invalid amount of bind variables"},
      {"peer = ?", 2, from_hex("00000001 01 00000001 01"), "Invalid amount of bind variables"},
      {"rack = 'x'", 1, from_hex("00000001 01"), "Invalid amount of bind variables"},
      {"peer = ?", 1, from_hex("ffffffff"), "Invalid null value in condition for column peer"},
      {"peer = ?", 1, from_hex("fffffffe"), "Invalid unset value for column peer"},
      {"peer = ?", 1, from_hex("00000005 0102030405"),
       "Invalid value of 5 bytes for column peer of type inet"},
      {"peer_port = ?", 1, from_hex("00000002 1b58"),
       "Invalid value of 2 bytes for column peer_port of type int"},
      {"host_id = ?", 1, from_hex("00000000"),
       "Invalid value of 0 bytes for column host_id of type uuid"},
      {"rack = 'x' LIMIT ?", 1, from_hex("00000001 01"), "Invalid limit value"},
      {"rack = 'x' LIMIT ?", 1, from_hex("ffffffff"), "Invalid limit value"},
      {"rack = 'x' LIMIT ?", 1, from_hex("00000004 ffffffff"), "LIMIT must be strictly positive"},
  }));
  CAPTURE(c.where, c.words);
  const BoundBytes bound(c.values, c.count);
  const std::string text = "SELECT * FROM peers_v2 WHERE " + std::string(c.where);
  CHECK(refusal_in(answer(text, view, {.values = bound.values})) == c.words);
}

TEST_CASE_METHOD(Fixture, "a name that no value has is refused") {
  const BoundBytes bound{{"other", test::int_value(7000)}};
  CHECK(refusal_in(answer("SELECT * FROM peers_v2 WHERE peer_port = :port", view,
                          {.values = bound.values})) == "Invalid amount of bind variables");
}

TEST_CASE_METHOD(Fixture, "an answer is one frame, of the request's version and stream") {
  const auto version = GENERATE(std::uint8_t{3}, std::uint8_t{4}, std::uint8_t{5});
  for (const auto* const text : {"SELECT * FROM local", "SELECT nothing FROM local"}) {
    Buffer out{0xAA};
    append_topology_rows(out, {.version = version, .stream = -9}, test::select_of(text), {}, view);
    const HeaderRead read = read_header(Bytes(out).subspan(1), Sender::node);
    REQUIRE(read.outcome == HeaderRead::Outcome::header);
    CHECK(out[0] == 0xAA);
    CHECK(read.header.version == version);
    CHECK(read.header.stream == -9);
    CHECK(read.header.flags == 0);
    CHECK(read.header.length == out.size() - 1 - header_size);
  }
}

TEST_CASE_METHOD(Fixture, "who has the metadata may skip it") {
  const Buffer frame =
      answer("SELECT key, rack FROM local", view, {.skip_metadata = true}, {.version = 5});
  CHECK(copy(test::content_of(frame, opcode::result)) ==
        from_hex("00000002 00000004 00000002 00000001 00000005 6c6f63616c 00000005 7261636b30"));
}

TEST_CASE("no answer holds an address or a port of a node") {
  const bool has_ports = GENERATE(true, false);
  const Ring ring = test::ring_of_three(has_ports);
  const TopologyView view = test::view_of(ring);
  Buffer secret_port;
  append_u32(secret_port, ring.nodes[0].port);
  for (const auto* const text :
       {"SELECT * FROM local", "SELECT * FROM peers", "SELECT * FROM peers_v2"}) {
    for (std::uint8_t version = version_min; version <= version_max; ++version) {
      const Buffer frame = answer(text, view, {}, {.version = version});
      for (std::size_t i = 0; i < test::secret_addresses.size(); ++i) {
        CHECK_FALSE(holds(frame, test::secret_addresses.at(i).bytes()));
        CHECK_FALSE(holds(frame, bytes_of(test::secret_texts.at(i))));
      }
      CHECK_FALSE(holds(frame, secret_port));
    }
  }
}

TEST_CASE_METHOD(Fixture, "no stand-in is where a node is, nor where one is shown to be") {
  for (const Node& node : ring.nodes) {
    const InetAddress stand_in = stand_in_address(node.host_id);
    CHECK(std::ranges::find(ring.nodes, stand_in, &Node::address) == ring.nodes.end());
    CHECK(stand_in != public_address);
  }
}

TEST_CASE_METHOD(Fixture, "an answer that would be too long is none") {
  const std::string token(255, '7');
  for (Node& node : ring.nodes) node.tokens.assign(4096, token);
  std::string text = "SELECT tokens";
  for (int i = 1; i < 8; ++i) text += ", tokens";
  CHECK(AnsweredRows(text + " FROM peers", view).rows.count == 2);
  for (int i = 8; i < 64; ++i) text += ", tokens";
  const Buffer frame = answer(text + " FROM peers", view);
  CHECK(refusal_in(frame) == "The answer would be too long");
}

}  // namespace gatehouse::cassandra
