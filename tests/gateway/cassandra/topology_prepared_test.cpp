// What preparing a SELECT leads to, and that what executes it fits.
#include <string>

#include <catch2/catch.hpp>

#include "gateway/cassandra/invented.h"
#include "gateway/cassandra/result.h"
#include "gateway/cassandra/topology_answer.h"
#include "tests/gateway/cassandra/frames.h"
#include "tests/gateway/cassandra/topology_asked.h"

namespace gatehouse::cassandra {

using test::Buffer;
using test::copy;
using test::from_hex;
using test::joined;
using test::refusal_in;

namespace {

const Buffer id = from_hex("0102030405060708090a0b0c0d0e0f10");

Buffer prepared(std::string_view text, std::uint8_t version, bool has_ports = true) {
  Buffer out;
  append_topology_prepared(out, {.version = version, .stream = 7}, id, test::select_of(text),
                           has_ports);
  return out;
}

// Behind the ids.
Buffer metadata(std::string_view text, std::uint8_t version = 4) {
  const Buffer frame = prepared(text, version);
  const Bytes content = test::content_of(frame, opcode::result);
  REQUIRE_FALSE(content.empty());
  return copy(content.subspan(version == 5 ? 40 : 22));
}

const Buffer system_local = from_hex("0006 73797374656d 0005 6c6f63616c");
const Buffer system_peers_v2 = from_hex("0006 73797374656d 0008 70656572735f7632");
const Buffer rack_of_local =
    joined({from_hex("00000001 00000001"), system_local, from_hex("0004 7261636b 000d")});
const Buffer rack_of_peers_v2 =
    joined({from_hex("00000001 00000001"), system_peers_v2, from_hex("0004 7261636b 000d")});

}  // namespace

TEST_CASE("a statement without markers says the columns of its result") {
  CHECK(metadata("SELECT rack FROM local", 3) ==
        joined({from_hex("00000000 00000000"), rack_of_local}));
  CHECK(metadata("SELECT rack FROM local", 4) ==
        joined({from_hex("00000000 00000000 00000000"), rack_of_local}));
}

TEST_CASE("a marker has the type of its column, and its name unless it has one of its own") {
  CHECK(metadata("SELECT rack FROM peers_v2 WHERE peer = :address AND peer_port = ? LIMIT ?") ==
        joined({from_hex("00000001 00000003 00000001 0000"), system_peers_v2,
                from_hex("0007 61646472657373 0010 0009 706565725f706f7274 0009"),
                from_hex("0007 5b6c696d69745d 0009"), rack_of_peers_v2}));
}

TEST_CASE("drivers learn which marker makes up the partition key") {
  const auto [text, key] = GENERATE(table<std::string_view, Buffer>({
      {"SELECT rack FROM local WHERE key = ?", from_hex("00000001 0000")},
      {"SELECT rack FROM local WHERE rack = ? AND key = ?", from_hex("00000001 0001")},
      {"SELECT rack FROM local WHERE key = 'local' AND rack = ?", from_hex("00000000")},
      {"SELECT rack FROM peers WHERE peer = ?", from_hex("00000001 0000")},
      {"SELECT rack FROM peers WHERE rack = ? AND peer = :p", from_hex("00000001 0001")},
      {"SELECT rack FROM peers_v2 WHERE peer_port = ?", from_hex("00000000")},
  }));
  CAPTURE(text);
  const Buffer all = metadata(text);
  CHECK(copy(Bytes(all).subspan(8, key.size())) == key);
}

TEST_CASE("the frame says the id, and in v5 that of the metadata") {
  const auto version = GENERATE(std::uint8_t{3}, std::uint8_t{4}, std::uint8_t{5});
  const Buffer frame = prepared("SELECT * FROM local", version);
  const HeaderRead read = read_header(frame, Sender::node);
  CHECK(read.header.version == version);
  CHECK(read.header.stream == 7);
  const auto statement = parse_prepared(version, test::content_of(frame, opcode::result));
  REQUIRE(statement);
  CHECK(copy(statement->id) == id);
  CHECK(statement->result_metadata_id.size() == (version == 5 ? 16 : 0));
}

TEST_CASE("the id of the metadata is the same as long as the columns of the result are") {
  const auto metadata_id = [](std::string_view text, bool has_ports = true) {
    const Buffer frame = prepared(text, 5, has_ports);
    return copy(parse_prepared(5, test::content_of(frame, opcode::result))->result_metadata_id);
  };
  const Buffer all = metadata_id("SELECT * FROM local");
  CHECK(metadata_id("SELECT * FROM local WHERE key = ? LIMIT 3") == all);
  CHECK(metadata_id("SELECT * FROM local", false) != all);
  CHECK(metadata_id("SELECT * FROM peers") != all);
  CHECK(metadata_id("SELECT rack FROM local") != metadata_id("SELECT rack AS r FROM local"));
}

TEST_CASE("rows without metadata fit what preparing said of them") {
  const Ring ring = test::ring_of_three();
  const TopologyView view = test::view_of(ring);
  const auto* const text = GENERATE(
      "SELECT * FROM local", "SELECT * FROM peers_v2", "SELECT * FROM peers",
      "SELECT host_id, rpc_address, data_center, rack, tokens FROM system.peers",
      "SELECT host_id, rpc_address, data_center, rack, tokens, cluster_name FROM system.local "
      "WHERE key='local'",
      "SELECT count(*) AS n, peer FROM peers", "select key from system.local",
      "select release_version, cluster_name from system.local");
  // Kind, flags, and the number of columns: then what the columns are, if that is not skipped.
  const Buffer rows = test::answer(text, view);
  const Buffer bare = test::answer(text, view, {.skip_metadata = true});
  const Buffer said = metadata(text);
  const Bytes specs = Bytes(said).subspan(20);
  const Bytes with_specs = test::content_of(rows, opcode::result);
  const Bytes without = test::content_of(bare, opcode::result);
  CHECK(copy(Bytes(said).subspan(16, 4)) == copy(without.subspan(8, 4)));
  CHECK(joined({copy(with_specs.first(12)), copy(specs), copy(without.subspan(12))}) ==
        copy(with_specs));
}

TEST_CASE("what could not be executed is not prepared") {
  const auto [text, has_ports, words] = GENERATE(table<std::string_view, bool, std::string_view>({
      {"SELECT nothing FROM local", true, "Undefined column name nothing in table system.local"},
      {"SELECT * FROM peers_v2", false, "unconfigured table peers_v2"},
      {"SELECT * FROM peers WHERE peer = 'x'", true, "Unable to make inet address from 'x'"},
      {"SELECT * FROM peers LIMIT 0", true, "LIMIT must be strictly positive"},
  }));
  CHECK(refusal_in(prepared(text, 4, has_ports)) == words);
}

}  // namespace gatehouse::cassandra
