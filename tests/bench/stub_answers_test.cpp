// The stub says what a gateway asks of a node, and what the benchmark's own client asks for.
#include "bench/tool/stub_answers.h"

#include <catch2/catch.hpp>

#include "gateway/cassandra/error.h"
#include "gateway/cassandra/own_requests.h"
#include "gateway/cassandra/ring_reader.h"
#include "gateway/cassandra/rows.h"

namespace gatehouse::bench {

namespace {

namespace opcode = cassandra::opcode;

struct Told {
  cassandra::FrameHeader header;
  std::vector<std::uint8_t> body;  // with its filler
  StubAnswers::Answer answer;
};

Told ask(std::uint8_t code, Bytes body, std::uint8_t version = 4) {
  static const StubAnswers answers(9042);
  std::vector<std::uint8_t> out{0xAA};  // of an answer before
  Told told{.header = {}, .body = {}, .answer = {}};
  told.answer = answers.answer({.version = version, .stream = 0x1234, .opcode = code}, body, out);
  const Bytes frame = Bytes(out).subspan(1);
  const auto read = cassandra::read_header(frame, cassandra::Sender::node);
  REQUIRE(read.outcome == cassandra::HeaderRead::Outcome::header);
  told.header = read.header;
  const Bytes rest = frame.subspan(cassandra::header_size);
  told.body.assign(rest.begin(), rest.end());
  told.body.resize(told.body.size() + told.answer.filler);
  CHECK(told.header.length == told.body.size());
  CHECK(told.header.stream == 0x1234);
  CHECK(told.header.version == 4);
  return told;
}

Told query(std::string_view text) {
  std::vector<std::uint8_t> body;
  cassandra::append_query(body, 4, text);
  return ask(opcode::query, body);
}

}  // namespace

TEST_CASE("the stub lets everybody in") {
  CHECK(ask(opcode::options, {}).header.opcode == opcode::supported);
  CHECK(ask(opcode::startup, {}).header.opcode == opcode::ready);
  CHECK(ask(opcode::register_events, {}).header.opcode == opcode::ready);
}

TEST_CASE("the stub is a ring of one node") {
  const Told local = query(cassandra::select_local);
  const Told peers = query("SELECT * FROM system.peers");
  const auto local_rows = cassandra::parse_rows(local.body);
  const auto peers_rows = cassandra::parse_rows(peers.body);
  REQUIRE((local_rows && peers_rows));
  const auto ring = cassandra::read_ring(*local_rows, *peers_rows, {});
  REQUIRE(ring);
  REQUIRE(ring->nodes.size() == 1);
  CHECK(ring->nodes.front().port == 9042);
}

TEST_CASE("the stub answers the benchmark, with a little or with much") {
  const Told small = query(small_statement);
  const Told bulk = query(bulk_statement);
  const auto small_rows = cassandra::parse_rows(small.body);
  const auto bulk_rows = cassandra::parse_rows(bulk.body);
  REQUIRE((small_rows && bulk_rows));
  CHECK(small_rows->count == 1);
  CHECK(small.answer.filler == 0);
  REQUIRE(bulk_rows->count == 1);
  CHECK(bulk_rows->cell(0, "bytes").bytes.size() == bulk_size);
  CHECK(bulk.answer.filler == bulk_size);
}

TEST_CASE("what the stub does not know it says, and goes on") {
  const Told unknown = query("SELECT * FROM system.peers_v2");
  REQUIRE(unknown.header.opcode == opcode::error);
  CHECK(cassandra::parse_error(unknown.body)->code == cassandra::error_code::invalid);
  CHECK_FALSE(unknown.answer.is_last);
  CHECK(ask(opcode::prepare, {}).header.opcode == opcode::error);
}

TEST_CASE("the stub speaks version 4 alone, and says so as nodes do") {
  const Told told = ask(opcode::startup, {}, 5);
  REQUIRE(told.header.opcode == opcode::error);
  CHECK(cassandra::parse_error(told.body)->code == cassandra::error_code::protocol);
  CHECK(told.answer.is_last);
}

}  // namespace gatehouse::bench
