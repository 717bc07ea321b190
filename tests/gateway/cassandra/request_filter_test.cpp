#include "gateway/cassandra/request_filter.h"

#include "tests/gateway/cassandra/filtered.h"

namespace gatehouse::cassandra {

using test::any_version;
using test::Buffer;
using test::Filtered;
using test::from_hex;
using test::Verdict;

namespace {

constexpr std::string_view peers = "SELECT * FROM system.peers";

std::string hidden_table(std::string_view name) {
  return "Table " + std::string(name) +
         " may show where nodes are: it cannot be read through this gateway.";
}

}  // namespace

TEST_CASE("statements of users pass, however they are asked") {
  Filtered filtered(any_version(), GENERATE(false, true));
  CHECK(filtered.query(1, "SELECT * FROM shop.orders") == Verdict::pass);
  CHECK(filtered.query(1, "INSERT INTO shop.orders (id) VALUES (1)") == Verdict::pass);
  CHECK(filtered.query(1, "DESCRIBE TABLE shop.orders") == Verdict::pass);
  CHECK(filtered.query(1, "SELECT now() FROM system.local") == Verdict::pass);
  CHECK(filtered.query(1, "SELECT * FROM system_schema.tables") == Verdict::pass);
  CHECK(filtered.ask(1, opcode::options, {}) == Verdict::pass);
  CHECK(filtered.batch({{.text_or_id = "INSERT INTO shop.orders (id) VALUES (1)"},
                        {.text_or_id = "DELETE FROM shop.orders WHERE id = 2"}}) == Verdict::pass);
  CHECK_FALSE(filtered.filter.awaits(1));
}

TEST_CASE("the tables that say where nodes are are answered here, hidden or not") {
  Filtered filtered(any_version(), GENERATE(false, true));
  CHECK(filtered.query(7, "SELECT host_id FROM system.local") == Verdict::answered);
  const auto local = parse_rows(filtered.result());
  REQUIRE(local);
  CHECK(local->count == 1);
  CHECK(filtered.query(7, peers) == Verdict::answered);
  const auto rows = parse_rows(filtered.result());
  REQUIRE(rows);
  CHECK(rows->count == 2);
  CHECK_FALSE(filtered.filter.awaits(7));
}

TEST_CASE("what is neither hidden nor answered passes where nothing is hidden") {
  Filtered filtered(any_version(), false);
  CHECK(filtered.query(1, "SELECT * FROM system_views.clients") == Verdict::pass);
  CHECK(filtered.query(1, "TRUNCATE system_traces.sessions") == Verdict::pass);
  CHECK(filtered.query(1, "DESCRIBE CLUSTER") == Verdict::pass);
  CHECK(filtered.query(1, "SELECT JSON * FROM system.peers") == Verdict::pass);
  CHECK(filtered.prepare(3, "SELECT * FROM system_views.clients") == Verdict::pass);
  CHECK(filtered.execute(2, "of whomever") == Verdict::pass);
  CHECK(filtered.batch({{.is_prepared = true, .text_or_id = "of whomever"}}) == Verdict::pass);
}

TEST_CASE("what may show where nodes are is refused where that is hidden") {
  struct Case {
    std::string_view text;
    std::uint32_t code;
    std::string words;
  };
  const auto c = GENERATE(values<Case>({
      {"SELECT * FROM system_views.clients", error_code::unauthorized,
       hidden_table("system_views.clients")},
      {"SELECT * FROM system_traces.sessions", error_code::unauthorized,
       hidden_table("system_traces.sessions")},
      {"UPDATE system_auth.roles SET is_superuser = true WHERE role = 'x' IF EXISTS",
       error_code::unauthorized,
       "Keyspace system_auth is Cassandra's own: it cannot be changed through this gateway."},
      {"DESCRIBE CLUSTER", error_code::unauthorized,
       "DESCRIBE CLUSTER shows where nodes are: it does not pass this gateway."},
      {"SELECT JSON * FROM system.peers", error_code::syntax,
       "This gateway cannot read this statement, and lets none pass that might show where nodes "
       "are."},
  }));
  Filtered filtered(any_version());
  CAPTURE(c.text, filtered.version);
  const std::pair<std::uint32_t, std::string> told{c.code, c.words};
  CHECK(filtered.query(1, c.text) == Verdict::answered);
  CHECK(filtered.error() == told);
  CHECK(filtered.prepare(1, c.text) == Verdict::answered);
  CHECK(filtered.error() == told);
  CHECK(filtered.batch({{.text_or_id = c.text}}) == Verdict::answered);
  CHECK(filtered.error() == told);
  CHECK_FALSE(filtered.filter.awaits(1));
}

TEST_CASE("a request's own keyspace says what a name without one means") {
  Filtered filtered(5);
  CHECK(filtered.query(1, "SELECT * FROM peers") == Verdict::pass);
  CHECK(filtered.query(1, "SELECT * FROM peers", "system") == Verdict::answered);
  CHECK(filtered.query(1, "SELECT * FROM clients", "system_views") == Verdict::answered);
  CHECK(filtered.code() == error_code::unauthorized);
  CHECK(filtered.prepare(1, "SELECT * FROM peers", "system") == Verdict::answered);
  CHECK_FALSE(filtered.result().empty());
  CHECK(filtered.batch({{.text_or_id = "DELETE FROM peers WHERE peer = '::'"}}, "system") ==
        Verdict::answered);
  CHECK(filtered.code() == error_code::unauthorized);
}

TEST_CASE("a statement that a node prepared may be executed, also on other connections") {
  Filtered filtered(any_version());
  REQUIRE(filtered.prepare(9, "SELECT * FROM shop.orders") == Verdict::pass);
  CHECK(filtered.filter.awaits(9));
  CHECK_FALSE(filtered.filter.awaits(8));
  CHECK(filtered.execute(8, "id") == Verdict::answered);
  CHECK(filtered.code() == error_code::unprepared);
  filtered.reply_prepared(9, "id");
  CHECK_FALSE(filtered.filter.awaits(9));
  CHECK(filtered.execute(8, "id") == Verdict::pass);
  CHECK(filtered.batch({{.is_prepared = true, .text_or_id = "id"}}) == Verdict::pass);

  RequestFilter other(filtered.cluster, true);
  Buffer answer;
  const Buffer body = test::execute_body(filtered.version, bytes_of("id"));
  CHECK(other.judge({.version = filtered.version, .opcode = opcode::execute}, body, answer) ==
        Verdict::pass);
}

TEST_CASE("an id that nothing is known of is unprepared, and the client is told which") {
  Filtered filtered(any_version());
  const std::string id = GENERATE(as<std::string>(), "", "unknown", std::string(65, 'x'));
  CHECK(filtered.execute(1, id) == Verdict::answered);
  Buffer details;
  append_string(details, id);
  const auto error = parse_error(test::content_of(filtered.answer, opcode::error));
  REQUIRE(error);
  CHECK(error->code == error_code::unprepared);
  CHECK(test::copy(error->details) == details);
  CHECK(filtered.batch({{.text_or_id = "INSERT INTO shop.t (a) VALUES (1)"},
                        {.is_prepared = true, .text_or_id = id}}) == Verdict::answered);
  CHECK(filtered.code() == error_code::unprepared);
}

TEST_CASE("what a node did not prepare is not remembered") {
  Filtered filtered(any_version());
  REQUIRE(filtered.prepare(9, "SELECT * FROM shop.orders") == Verdict::pass);
  SECTION("an error") {
    filtered.reply_error(9);
  }
  SECTION("another result") {
    filtered.reply_keyspace(9, "id");
  }
  SECTION("what cannot be read") {
    filtered.reply(9, opcode::result, from_hex("00000004 0002"));
  }
  SECTION("an error that looks like a result") {
    filtered.reply(9, opcode::error, test::prepared_content(filtered.version, bytes_of("id")));
  }
  SECTION("on another stream") {
    filtered.reply_prepared(8, "id");
  }
  CHECK(filtered.execute(1, "id") == Verdict::answered);
  CHECK(filtered.code() == error_code::unprepared);
}

TEST_CASE("a topology statement is prepared and executed here") {
  Filtered filtered(any_version(), GENERATE(false, true));
  REQUIRE(filtered.prepare(9, peers) == Verdict::answered);
  CHECK_FALSE(filtered.filter.awaits(9));
  const auto prepared = parse_prepared(filtered.version, filtered.result());
  REQUIRE(prepared);
  const std::string id(as_text(prepared->id));
  REQUIRE(filtered.execute(8, id) == Verdict::answered);
  const auto rows = parse_rows(filtered.result());
  REQUIRE(rows);
  CHECK(rows->count == 2);
  CHECK(filtered.batch({{.is_prepared = true, .text_or_id = id}}) == Verdict::answered);
  CHECK(filtered.error().second ==
        "Only UPDATE, INSERT and DELETE statements are allowed in a batch.");

  // A ring that has become one with other columns.
  filtered.cluster.ring = test::ring_of_three(false);
  CHECK(filtered.execute(8, id) == Verdict::answered);
  CHECK(filtered.code() == error_code::unprepared);
}

TEST_CASE("a topology statement too long to be remembered is refused") {
  Filtered filtered(4);
  const std::string text = "SELECT * FROM system.peers WHERE rack = '" +
                           std::string(PreparedStatements::meaning_size_max, 'r') +
                           "' ALLOW FILTERING";
  CHECK(filtered.prepare(1, text) == Verdict::answered);
  CHECK(filtered.error() ==
        std::pair{error_code::invalid, std::string("This statement is too long.")});
}

TEST_CASE("reading where nodes are has no place in a BATCH") {
  Filtered filtered(any_version(), GENERATE(false, true));
  const auto text = GENERATE(values<std::string_view>({peers, "USE system"}));
  CHECK(filtered.batch({{.text_or_id = "INSERT INTO shop.t (a) VALUES (1)"},
                        {.text_or_id = text}}) == Verdict::answered);
  CHECK(
      filtered.error() ==
      std::pair{error_code::invalid,
                std::string("Only UPDATE, INSERT and DELETE statements are allowed in a batch.")});
}

TEST_CASE("events of the kinds that are known may be asked for, and no others") {
  Filtered filtered(any_version(), GENERATE(false, true));
  const auto registers = [&](std::initializer_list<std::string_view> types) {
    return filtered.ask(3, opcode::register_events, test::string_list(types));
  };
  CHECK(registers({"TOPOLOGY_CHANGE", "status_change", "SCHEMA_CHANGE"}) == Verdict::pass);
  CHECK(registers({}) == Verdict::pass);
  CHECK(registers({"STATUS_CHANGE", "CLIENT_ROUTES_CHANGE"}) == Verdict::answered);
  CHECK(filtered.code() == error_code::protocol);
  CHECK(filtered.ask(3, opcode::register_events, from_hex("0001 00")) == Verdict::answered);
  CHECK(filtered.code() == error_code::protocol);
}

TEST_CASE("a request that cannot be read is answered, and reaches no node") {
  Filtered filtered(any_version(), GENERATE(false, true));
  const auto op = GENERATE(
      values<std::uint8_t>({opcode::query, opcode::prepare, opcode::execute, opcode::batch}));
  CHECK(filtered.ask(3, op, from_hex("0000 0005 61")) == Verdict::answered);
  CHECK(filtered.error() ==
        std::pair{error_code::protocol, std::string("This request cannot be read.")});
  CHECK_FALSE(filtered.filter.awaits(3));
}

TEST_CASE("what no client says once it is in ends the conversation") {
  Filtered filtered(any_version(), GENERATE(false, true));
  const auto op = GENERATE(values<std::uint8_t>(
      {opcode::startup, opcode::auth_response, opcode::result, opcode::event, 0x04, 0x11, 0xFF}));
  CHECK(filtered.ask(3, op, from_hex("0000")) == Verdict::broken);
  CHECK(filtered.code() == error_code::protocol);
}

TEST_CASE("a frame that lies ends the conversation") {
  Filtered filtered(any_version(), GENERATE(false, true));
  const Buffer body = test::query_body(filtered.version, "SELECT * FROM shop.t");
  const Buffer with_payload = test::joined({from_hex("0001 0001 61 00000001 62"), body});
  CHECK(filtered.ask(3, opcode::query, with_payload, frame_flag::custom_payload) == Verdict::pass);
  CHECK(filtered.ask(3, opcode::query, from_hex("0001 00"), frame_flag::custom_payload) ==
        Verdict::broken);
  CHECK(filtered.ask(-1, opcode::query, body) == Verdict::broken);
  CHECK(filtered.code() == error_code::protocol);
}

TEST_CASE("a stream on which an answer is awaited takes no other request") {
  Filtered filtered(any_version(), GENERATE(false, true));
  const auto begin = GENERATE(values<std::string_view>({"PREPARE", "USE"}));
  if (begin == "PREPARE") REQUIRE(filtered.prepare(3, "SELECT * FROM shop.t") == Verdict::pass);
  if (begin == "USE") REQUIRE(filtered.query(3, "USE shop") == Verdict::pass);
  CHECK(filtered.ask(4, opcode::options, {}) == Verdict::pass);
  SECTION("before it") {
    CHECK(filtered.ask(3, opcode::options, {}) == Verdict::broken);
  }
  SECTION("behind it") {
    filtered.reply_error(3);
    CHECK(filtered.ask(3, opcode::options, {}) == Verdict::pass);
  }
}

TEST_CASE("a stream on which the node has not answered takes no other request") {
  Filtered filtered(any_version(), GENERATE(false, true));
  filtered.is_slow = true;
  const auto stream = GENERATE(values<std::int16_t>({0, 3, 0x7FFF}));
  REQUIRE(filtered.query(stream, "SELECT * FROM shop.t") == Verdict::pass);
  CHECK(filtered.query(5, "SELECT * FROM shop.t") == Verdict::pass);
  SECTION("a USE, to which the first answer would be taken for its own") {
    CHECK(filtered.query(stream, "USE system") == Verdict::broken);
  }
  SECTION("a PREPARE, likewise") {
    CHECK(filtered.prepare(stream, "USE system") == Verdict::broken);
  }
  SECTION("anything else, of which the second answer would be") {
    CHECK(filtered.ask(stream, opcode::options, {}) == Verdict::broken);
  }
  SECTION("behind the answer") {
    filtered.filter.answer_begins(event_stream);
    filtered.filter.answer_begins(stream);
    CHECK(filtered.query(stream, "USE shop") == Verdict::pass);
  }
}

TEST_CASE("a definition that a node has changed is told, and one that it refused is not") {
  Filtered filtered(any_version(), GENERATE(false, true));
  const auto text = GENERATE(values<std::string_view>(
      {"CREATE TABLE shop.t (a int PRIMARY KEY)", "ALTER TABLE shop.t ADD b int", "DROP TABLE t"}));
  const bool is_prepared = GENERATE(false, true);
  if (is_prepared) {
    filtered.prepare_as(text, "id");
    REQUIRE(filtered.execute(3, "id") == Verdict::pass);
  } else {
    REQUIRE(filtered.query(3, text) == Verdict::pass);
  }
  CHECK(filtered.filter.awaits(3));
  SECTION("changed") {
    filtered.reply(3, opcode::result, from_hex("00000005"));
    CHECK(filtered.cluster.schema_changes == 1);
  }
  SECTION("as it was already") {
    filtered.reply(3, opcode::result, from_hex("00000001"));
    CHECK(filtered.cluster.schema_changes == 0);
  }
  SECTION("refused") {
    filtered.reply_error(3);
    CHECK(filtered.cluster.schema_changes == 0);
  }
  CHECK_FALSE(filtered.filter.awaits(3));
}

TEST_CASE("only so many answers are awaited at once") {
  Filtered filtered(4);
  constexpr auto most = static_cast<std::int16_t>(RequestFilter::awaited_max);
  for (std::int16_t stream = 0; stream < most; ++stream) {
    REQUIRE(filtered.prepare(stream, "SELECT * FROM shop.t") == Verdict::pass);
  }
  CHECK(filtered.prepare(most, "SELECT * FROM shop.t") == Verdict::answered);
  CHECK(filtered.code() == error_code::overloaded);
  CHECK_FALSE(filtered.filter.awaits(most));
  CHECK(filtered.query(most, "USE shop") == Verdict::answered);
  CHECK(filtered.code() == error_code::overloaded);
  // The USE that was refused is not under way.
  filtered.reply_prepared(5, "id");
  CHECK(filtered.query(5, "USE shop") == Verdict::pass);
  CHECK(filtered.prepare(most, "SELECT * FROM shop.t") == Verdict::answered);
  CHECK(filtered.query(most, "SELECT * FROM shop.t") == Verdict::pass);
}

}  // namespace gatehouse::cassandra
