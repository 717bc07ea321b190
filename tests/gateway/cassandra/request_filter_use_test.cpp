// What a USE changes, from when it is asked for until it is answered.
#include "gateway/cassandra/request_filter.h"
#include "tests/gateway/cassandra/filtered.h"

namespace gatehouse::cassandra {

using test::any_version;
using test::Filtered;
using test::Verdict;

namespace {

constexpr std::string_view unnamed = "SELECT * FROM peers";

}  // namespace

TEST_CASE("a name without a keyspace means one of the keyspace in use") {
  Filtered filtered(any_version(), GENERATE(false, true));
  CHECK(filtered.query(1, unnamed) == Verdict::pass);
  REQUIRE(filtered.query(2, "USE system") == Verdict::pass);
  filtered.reply_keyspace(2, "system");
  CHECK(filtered.query(1, unnamed) == Verdict::answered);
  CHECK_FALSE(filtered.result().empty());
  CHECK(filtered.prepare(1, unnamed) == Verdict::answered);
  CHECK_FALSE(filtered.result().empty());
  REQUIRE(filtered.query(2, "USE shop") == Verdict::pass);
  filtered.reply_keyspace(2, "shop");
  CHECK(filtered.query(1, unnamed) == Verdict::pass);
}

TEST_CASE("what depends on a USE that is not answered waits for the answer") {
  Filtered filtered(any_version(), GENERATE(false, true));
  REQUIRE(filtered.query(2, "USE system") == Verdict::pass);
  CHECK(filtered.filter.awaits(2));
  CHECK(filtered.query(1, unnamed) == Verdict::answered);
  CHECK(filtered.code() == error_code::invalid);
  CHECK(filtered.error().second.starts_with("A USE of this connection is not answered yet"));
  CHECK(filtered.prepare(1, unnamed) == Verdict::answered);
  CHECK(filtered.code() == error_code::invalid);
  CHECK(filtered.batch({{.text_or_id = "DELETE FROM peers WHERE peer = '::'"}}) ==
        Verdict::answered);
  CHECK(filtered.code() == error_code::invalid);
}

TEST_CASE("what does not depend on a USE passes beside it") {
  Filtered filtered(any_version());
  REQUIRE(filtered.query(2, GENERATE(as<std::string_view>(), "USE system", "USE shop")) ==
          Verdict::pass);
  CHECK(filtered.query(1, "SELECT * FROM shop.orders") == Verdict::pass);
  CHECK(filtered.query(1, "SELECT * FROM system.peers") == Verdict::answered);
  CHECK_FALSE(filtered.result().empty());
  CHECK(filtered.ask(1, opcode::options, {}) == Verdict::pass);
}

TEST_CASE("a USE from one of a user's keyspaces to another holds nothing up") {
  Filtered filtered(any_version());
  REQUIRE(filtered.query(2, "USE shop") == Verdict::pass);
  CHECK(filtered.query(1, "SELECT * FROM orders") == Verdict::pass);
  filtered.reply_keyspace(2, "shop");
  REQUIRE(filtered.query(2, "USE \"Other\"") == Verdict::pass);
  CHECK(filtered.query(1, "SELECT * FROM orders") == Verdict::pass);
  CHECK(filtered.prepare(3, "SELECT * FROM orders") == Verdict::pass);
  CHECK(filtered.batch({{.text_or_id = "DELETE FROM orders WHERE id = 1"}}) == Verdict::pass);
}

TEST_CASE("in v5 a request's own keyspace goes before a USE that is not answered") {
  Filtered filtered(5);
  REQUIRE(filtered.query(2, "USE system") == Verdict::pass);
  CHECK(filtered.query(1, unnamed, "shop") == Verdict::pass);
  CHECK(filtered.query(1, unnamed, "system") == Verdict::answered);
  CHECK_FALSE(filtered.result().empty());
}

TEST_CASE("a USE that the node refused changes nothing") {
  Filtered filtered(any_version());
  REQUIRE(filtered.query(2, "USE system") == Verdict::pass);
  filtered.reply_error(2);
  CHECK(filtered.query(1, unnamed) == Verdict::pass);
  CHECK_FALSE(filtered.filter.awaits(2));
}

TEST_CASE("a USE of a system keyspace waits for all that has passed before it") {
  Filtered filtered(any_version());
  REQUIRE(filtered.prepare(1, unnamed) == Verdict::pass);
  CHECK(filtered.query(2, "USE shop") == Verdict::pass);
  filtered.reply_keyspace(2, "shop");
  CHECK(filtered.query(2, "USE system_schema") == Verdict::answered);
  CHECK(filtered.code() == error_code::invalid);
  CHECK_FALSE(filtered.filter.awaits(2));
  filtered.reply_prepared(1, "id");
  CHECK(filtered.query(2, "USE system_schema") == Verdict::pass);
}

TEST_CASE("where nothing is hidden, no USE waits") {
  Filtered filtered(any_version(), false);
  REQUIRE(filtered.prepare(1, unnamed) == Verdict::pass);
  CHECK(filtered.query(2, "USE system") == Verdict::pass);
}

TEST_CASE("two at once: the second is refused, and is not awaited") {
  Filtered filtered(any_version(), GENERATE(false, true));
  REQUIRE(filtered.query(2, "USE shop") == Verdict::pass);
  CHECK(filtered.query(3, "USE system") == Verdict::answered);
  CHECK(filtered.code() == error_code::invalid);
  CHECK_FALSE(filtered.filter.awaits(3));
  filtered.reply_keyspace(2, "shop");
  CHECK(filtered.query(3, "USE system") == Verdict::pass);
}

TEST_CASE("a USE that was prepared is one when it is executed, on whatever connection") {
  Filtered filtered(any_version(), GENERATE(false, true));
  filtered.prepare_as("USE system", "use");
  CHECK(filtered.query(1, unnamed) == Verdict::pass);
  REQUIRE(filtered.execute(2, "use") == Verdict::pass);
  CHECK(filtered.filter.awaits(2));
  CHECK(filtered.query(1, unnamed) == Verdict::answered);
  CHECK(filtered.code() == error_code::invalid);
  CHECK(filtered.execute(3, "use") == Verdict::answered);
  CHECK(filtered.code() == error_code::invalid);
  filtered.reply_keyspace(2, "system");
  CHECK(filtered.query(1, unnamed) == Verdict::answered);
  CHECK_FALSE(filtered.result().empty());
  CHECK(filtered.batch({{.is_prepared = true, .text_or_id = "use"}}) == Verdict::answered);
  CHECK(filtered.code() == error_code::invalid);
}

TEST_CASE("the keyspace that the node says is in use counts") {
  Filtered filtered(any_version());
  REQUIRE(filtered.query(2, "USE shop") == Verdict::pass);
  filtered.reply_keyspace(2, "system");
  CHECK(filtered.query(1, unnamed) == Verdict::answered);
  CHECK_FALSE(filtered.result().empty());
}

}  // namespace gatehouse::cassandra
