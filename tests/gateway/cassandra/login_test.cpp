#include "gateway/cassandra/login.h"

#include <catch2/catch.hpp>

#include "gateway/cassandra/error.h"
#include "gateway/cassandra/handshake.h"
#include "gateway/cassandra/own_requests.h"
#include "tests/gateway/cassandra/requests.h"
#include "tests/gateway/cassandra/topology.h"

namespace gatehouse::cassandra {

using test::Buffer;
using test::copy;
using test::from_hex;
using test::string_map;
using Step = Login::Step;

namespace {

Buffer startup(std::string_view compression = {}) {
  test::Entries entries{
      {"CQL_VERSION", "3.0.0"}, {"DRIVER_NAME", "gocql"}, {"DRIVER_VERSION", "2.0"}};
  if (!compression.empty()) entries.emplace_back("COMPRESSION", compression);
  return string_map(entries);
}

Buffer as_alice() {
  Buffer body;
  append_plain_login(body, "alice", "secret");
  return body;
}

Buffer authenticator() {
  Buffer body;
  append_string(body, "org.apache.cassandra.auth.PasswordAuthenticator");
  return body;
}

// A login of one version, on a stream of its own.
struct Talk {
  explicit Talk(std::uint8_t spoken) : version(spoken) {}

  Step ask(std::uint8_t opcode, Bytes body, std::uint8_t flags = 0) {
    answer.clear();
    const FrameHeader header{
        .version = version, .flags = flags, .stream = stream, .opcode = opcode};
    return login.take_request(header, body, answer);
  }
  Step reply(std::uint8_t opcode, Bytes body = {}, std::uint8_t flags = 0) {
    answer.clear();
    return login.take_response({.sender = Sender::node,
                                .version = version,
                                .flags = flags,
                                .stream = stream,
                                .opcode = opcode},
                               body, answer);
  }
  // The code and the words of the one ERROR that was appended.
  std::pair<std::uint32_t, std::string> told() const {
    const auto read = read_header(answer, Sender::node);
    REQUIRE(read.outcome == HeaderRead::Outcome::header);
    CHECK(read.header.version == version);
    CHECK(read.header.stream == stream);
    const auto error = parse_error(test::content_of(answer, opcode::error));
    REQUIRE(error);
    return {error->code, std::string(error->message)};
  }

  std::uint8_t version;
  std::int16_t stream = 5;
  Login login;
  Buffer answer;
};

}  // namespace

TEST_CASE("a login with a password is passed on frame by frame") {
  Talk talk(GENERATE(values<std::uint8_t>({3, 4, 5})));
  CHECK(talk.ask(opcode::startup, startup()) == Step::pass);
  CHECK_FALSE(talk.login.is_done());
  CHECK(talk.reply(opcode::authenticate, authenticator()) == Step::pass);
  CHECK(talk.login.segments_begin().has_value() == (talk.version == 5));
  CHECK(talk.ask(opcode::auth_response, as_alice()) == Step::pass);
  CHECK_FALSE(talk.login.segments_begin());
  CHECK(talk.login.user() == "alice");
  CHECK_FALSE(talk.login.is_done());
  CHECK(talk.reply(opcode::auth_success, from_hex("ffffffff")) == Step::pass);
  CHECK(talk.login.is_done());
  CHECK_FALSE(talk.login.segments_begin());
  CHECK(talk.answer.empty());
  CHECK(talk.login.version() == talk.version);
  CHECK(talk.login.driver() == "gocql");
  CHECK(talk.login.driver_version() == "2.0");
}

TEST_CASE("where a node asks for no password, READY is the end of the login") {
  Talk talk(GENERATE(values<std::uint8_t>({3, 4, 5})));
  talk.ask(opcode::startup, startup());
  CHECK(talk.reply(opcode::ready) == Step::pass);
  CHECK(talk.login.is_done());
  CHECK(talk.login.segments_begin().has_value() == (talk.version == 5));
  CHECK(talk.login.user().empty());
}

TEST_CASE("a mechanism of several steps goes on as long as the node has challenges") {
  Talk talk(4);
  talk.ask(opcode::startup, startup());
  talk.reply(opcode::authenticate, authenticator());
  for (int i = 0; i < 3; ++i) {
    CHECK(talk.ask(opcode::auth_response, from_hex("00000001 61")) == Step::pass);
    CHECK(talk.reply(opcode::auth_challenge, from_hex("00000001 62")) == Step::pass);
    CHECK_FALSE(talk.login.is_done());
  }
  CHECK(talk.login.user().empty());
}

TEST_CASE("how frames and segments are compressed is what STARTUP asked for") {
  struct Case {
    std::uint8_t version;
    std::string_view name;
    Compression of_frames;
    std::optional<SegmentForm> form;
  };
  const auto c = GENERATE(values<Case>({
      {3, "", Compression::none, std::nullopt},
      {3, "lz4", Compression::lz4, std::nullopt},
      {4, "snappy", Compression::snappy, std::nullopt},
      {4, "LZ4", Compression::lz4, std::nullopt},
      {5, "", Compression::none, SegmentForm::plain},
      {5, "lz4", Compression::none, SegmentForm::lz4},
  }));
  CAPTURE(c.version, c.name);
  Talk talk(c.version);
  CHECK(talk.ask(opcode::startup, startup(c.name)) == Step::pass);
  CHECK(talk.login.compression() == c.of_frames);
  CHECK(talk.reply(opcode::ready) == Step::pass);
  CHECK(talk.login.segments_begin() == c.form);
}

TEST_CASE("a compression that is not spoken here is refused before the node hears of it") {
  const auto [version, name] =
      GENERATE(table<std::uint8_t, std::string_view>({{4, "zstd"}, {5, "snappy"}, {5, "deflate"}}));
  Talk talk(version);
  CHECK(talk.ask(opcode::startup, startup(name)) == Step::refuse);
  CHECK(talk.told().first == error_code::protocol);
  CHECK(talk.told().second == "Unknown compression algorithm: " + std::string(name));
}

TEST_CASE("compressed frames of either side are read once STARTUP has named the algorithm") {
  const auto compression = GENERATE(values({Compression::lz4, Compression::snappy}));
  Talk talk(4);
  const Buffer plain = as_alice();
  const Buffer packed = *compress_body(compression, plain);
  const Buffer asked = *compress_body(compression, authenticator());
  CHECK(Talk(4).ask(opcode::startup, packed, frame_flag::compressed) == Step::refuse);
  talk.ask(opcode::startup, startup(name_of(compression)));
  CHECK(talk.reply(opcode::authenticate, asked, frame_flag::compressed) == Step::pass);
  CHECK(talk.ask(opcode::auth_response, packed, frame_flag::compressed) == Step::pass);
  CHECK(talk.login.user() == "alice");
}

TEST_CASE("what is compressed longer than any login, or in no way that was agreed on, is refused") {
  const Buffer long_one = *compress_body(Compression::lz4, Buffer(64 * 1024 + 1, 'a'));
  const Buffer fits = *compress_body(Compression::lz4, Buffer(65536, 'a'));
  const auto asked = [](std::uint8_t version, std::string_view compression, Bytes body) {
    Talk talk(version);
    talk.ask(opcode::startup, startup(compression));
    talk.reply(opcode::authenticate, authenticator());
    return talk.ask(opcode::auth_response, body, frame_flag::compressed);
  };
  CHECK(asked(4, "lz4", fits) == Step::pass);
  CHECK(asked(4, "lz4", long_one) == Step::refuse);
  CHECK(asked(4, "", fits) == Step::refuse);
  CHECK(asked(5, "lz4", fits) == Step::refuse);
  CHECK(asked(4, "lz4", from_hex("00000010 ffff")) == Step::refuse);
  Talk talk(4);
  talk.ask(opcode::startup, startup("lz4"));
  CHECK(talk.reply(opcode::ready, long_one, frame_flag::compressed) == Step::broken_node);
}

TEST_CASE("OPTIONS passes at any time, and what the node supports is told in part") {
  Talk talk(4);
  Buffer supported;
  append_supported(supported, {.protocol_versions = {"3/v3", "4/v4", "5/v5", "6/v6-beta"},
                               .compression = {"snappy", "zstd", "lz4"},
                               .cql_versions = {"3.4.7"}});
  supported[1] = 4;
  append_string(supported, "SCYLLA_SHARD_AWARE_PORT");
  append_bytes(supported, test::string_list({"19142"}));
  const bool has_started = GENERATE(false, true);
  if (has_started) {
    talk.ask(opcode::startup, startup());
    talk.reply(opcode::authenticate, authenticator());
  }
  CHECK(talk.ask(opcode::options, {}) == Step::pass);
  CHECK(talk.reply(opcode::supported, supported) == Step::replace);
  const auto shown = parse_supported(test::content_of(talk.answer, opcode::supported));
  REQUIRE(shown);
  CHECK(*shown == Supported{.protocol_versions = {"3/v3", "4/v4", "5/v5"},
                            .compression = {"snappy", "lz4"},
                            .cql_versions = {"3.4.7"}});
  CHECK_FALSE(talk.login.is_done());
  CHECK_FALSE(talk.login.segments_begin());
  const Step next = has_started ? talk.ask(opcode::auth_response, as_alice())
                                : talk.ask(opcode::startup, startup());
  CHECK(next == Step::pass);
}

TEST_CASE("what a login does not begin with is refused") {
  const auto version = GENERATE(values<std::uint8_t>({3, 4, 5}));
  const Buffer query = test::query_body(version, "SELECT * FROM system.peers");
  const auto refused = [&](Talk talk, std::uint8_t opcode, Bytes body, std::uint8_t flags = 0) {
    if (talk.ask(opcode, body, flags) != Step::refuse) return false;
    return talk.told().first == error_code::protocol && !talk.login.is_done();
  };
  const Talk fresh(version);
  CHECK(refused(fresh, opcode::query, query));
  CHECK(refused(fresh, opcode::auth_response, as_alice()));
  CHECK(refused(fresh, opcode::register_events, test::string_list({"STATUS_CHANGE"})));
  CHECK(refused(fresh, opcode::startup, from_hex("0001 0003")));
  CHECK(refused(fresh, opcode::startup, from_hex("0000"), frame_flag::custom_payload));
  CHECK(refused(fresh, 0x77, {}));
  Talk on_stream_of_events(version);
  on_stream_of_events.stream = -1;
  CHECK(refused(on_stream_of_events, opcode::startup, startup()));

  Talk started(version);
  started.ask(opcode::startup, startup());
  CHECK(refused(started, opcode::startup, startup()));
  CHECK(refused(started, opcode::query, query));
  CHECK(refused(started, opcode::auth_response, as_alice()));
  started.reply(opcode::authenticate, authenticator());
  Talk other_version = started;
  other_version.version = version == 3 ? 4 : 3;
  CHECK(refused(other_version, opcode::auth_response, as_alice()));
  started.ask(opcode::auth_response, as_alice());
  CHECK(refused(started, opcode::auth_response, as_alice()));
}

TEST_CASE("a node that answers what was not asked is broken") {
  const auto replies = [](std::uint8_t request, std::uint8_t response, Bytes body = {}) {
    Talk talk(4);
    if (request != opcode::options) talk.ask(opcode::startup, startup());
    if (request == opcode::options) talk.ask(opcode::options, {});
    if (request == opcode::auth_response) {
      talk.reply(opcode::authenticate, authenticator());
      talk.ask(opcode::auth_response, as_alice());
    }
    const Step step = talk.reply(response, body);
    CHECK_FALSE((step == Step::broken_node && talk.login.is_done()));
    return step;
  };
  CHECK(replies(opcode::startup, opcode::supported, from_hex("0000")) == Step::broken_node);
  CHECK(replies(opcode::startup, opcode::auth_success) == Step::broken_node);
  CHECK(replies(opcode::startup, opcode::auth_challenge) == Step::broken_node);
  CHECK(replies(opcode::startup, opcode::result) == Step::broken_node);
  CHECK(replies(opcode::startup, opcode::event) == Step::broken_node);
  CHECK(replies(opcode::startup, opcode::error, from_hex("0000")) == Step::broken_node);
  CHECK(replies(opcode::options, opcode::ready) == Step::broken_node);
  CHECK(replies(opcode::options, opcode::authenticate) == Step::broken_node);
  CHECK(replies(opcode::options, opcode::supported, from_hex("0001")) == Step::broken_node);
  CHECK(replies(opcode::options, opcode::supported, from_hex("0000")) == Step::replace);
  CHECK(replies(opcode::auth_response, opcode::ready) == Step::broken_node);
  CHECK(replies(opcode::auth_response, opcode::authenticate) == Step::broken_node);
  CHECK(replies(opcode::auth_response, opcode::auth_success) == Step::pass);
}

TEST_CASE("a node's error ends the login, without what it says of nodes") {
  struct Case {
    std::uint32_t code;
    std::uint32_t told;
    bool is_refusal;
  };
  const auto c = GENERATE(values<Case>({
      {error_code::bad_credentials, error_code::bad_credentials, true},
      {error_code::protocol, error_code::protocol, false},
      {error_code::overloaded, error_code::overloaded, false},
      {error_code::bootstrapping, error_code::bootstrapping, false},
      {error_code::server, error_code::server, false},
      {error_code::unavailable, error_code::server, false},
      {error_code::unprepared, error_code::server, false},
      {0x9999, error_code::server, false},
  }));
  Talk talk(4);
  talk.ask(opcode::startup, startup());
  talk.reply(opcode::authenticate, authenticator());
  talk.ask(opcode::auth_response, as_alice());
  const Buffer details = from_hex("0001 00000001 00000001");
  const Buffer error = test::error_content(c.code, "No quorum at /10.66.77.1:9042.", details);
  CHECK(talk.reply(opcode::error, error) == Step::refuse);
  CHECK(talk.told() == std::pair{c.told, std::string("No quorum at node.")});
  CHECK(parse_error(test::content_of(talk.answer, opcode::error))->details.empty());
  CHECK(talk.login.node_refused_user() == c.is_refusal);
  CHECK_FALSE(talk.login.is_done());
}

TEST_CASE("an ERROR to a STARTUP of v5 begins no segments") {
  Talk talk(5);
  talk.ask(opcode::startup, startup());
  CHECK(talk.reply(opcode::error, test::error_content(error_code::protocol, "No.")) ==
        Step::refuse);
  CHECK_FALSE(talk.login.segments_begin());
}

}  // namespace gatehouse::cassandra
