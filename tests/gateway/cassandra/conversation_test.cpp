// Requests and answers. What nodes say of nodes is in conversation_nodes_test.cpp.
#include "gateway/cassandra/conversation.h"

#include "gateway/cassandra/handshake.h"
#include "tests/gateway/cassandra/conversed.h"
#include "tests/gateway/cassandra/segments.h"

namespace gatehouse::cassandra {

using test::any_manner;
using test::Buffer;
using test::Conversed;
using test::copy;
using test::from_hex;
using test::joined;
using test::lz4_segment_claiming;
using test::Manner;
using test::on_wire;
using Frames = std::vector<Buffer>;
using Next = RelayFilter::Next;

namespace {

constexpr std::string_view peers = "SELECT * FROM system.peers";
constexpr std::string_view orders = "SELECT * FROM shop.orders";

Buffer rows_of(std::size_t size) {
  Buffer content = from_hex("00000002");
  content.resize(size, 'r');
  return content;
}

// The stream of one answer, and what it is.
std::pair<std::int16_t, std::uint8_t> answer_in(Bytes frame) {
  const auto read = read_header(frame, Sender::node);
  REQUIRE(read.outcome == HeaderRead::Outcome::header);
  return {read.header.stream, read.header.opcode};
}

std::uint32_t code_in(Bytes frame) {
  const auto error = parse_error(test::content_of(frame, opcode::error));
  return error ? error->code : 0xFFFF;
}

}  // namespace

TEST_CASE("what nobody looks at passes byte for byte") {
  const Manner manner = any_manner();
  CAPTURE(manner.name);
  Conversed talk(manner);
  const Buffer asked = on_wire(manner, talk.query(3, orders));
  const Buffer answered = on_wire(manner, talk.response(3, opcode::result, rows_of(1000)));
  talk.client_says(asked);
  talk.node_says(answered);
  // Requests that are compressed pass as they were read.
  if (manner.compression == Compression::none) CHECK(talk.to_node == asked);
  CHECK(talk.at_node() == Frames{talk.query(3, orders)});
  CHECK(talk.to_client == answered);
  CHECK(talk.client_next == Next::on_bytes);
  CHECK(talk.node_next == Next::on_bytes);
}

TEST_CASE("some requests are answered here, and the others reach the node") {
  const Manner manner = any_manner();
  CAPTURE(manner.name);
  Conversed talk(manner);
  const Frames passing{talk.query(1, orders), talk.request(4, opcode::options, {})};
  talk.client_says(
      joined({on_wire(manner, passing[0]), on_wire(manner, talk.query(2, peers)),
              on_wire(manner, talk.query(3, "DESCRIBE CLUSTER")), on_wire(manner, passing[1])}));
  CHECK(talk.at_node() == passing);
  const Frames answers = talk.at_client();
  REQUIRE(answers.size() == 2);
  CHECK(answer_in(answers[0]) == std::pair<std::int16_t, std::uint8_t>(2, opcode::result));
  CHECK(answer_in(answers[1]) == std::pair<std::int16_t, std::uint8_t>(3, opcode::error));
  CHECK(code_in(answers[1]) == error_code::unauthorized);
}

TEST_CASE("however bytes are cut, the same comes of them") {
  const Manner manner = any_manner();
  CAPTURE(manner.name);
  Conversed whole(manner);
  const Buffer asked =
      joined({on_wire(manner, whole.query(1, orders)), on_wire(manner, whole.query(2, peers)),
              on_wire(manner, whole.query(3, "USE shop"))});
  const Buffer said = joined(
      {on_wire(manner, whole.response(1, opcode::result, rows_of(300))),
       on_wire(manner, whole.status("UP", test::secret_addresses[1])),
       on_wire(manner, whole.response(3, opcode::result, test::set_keyspace_content("shop"))),
       on_wire(manner, whole.response(5, opcode::error,
                                      test::error_content(error_code::server, "10.66.77.1")))});
  whole.client_says(asked);
  whole.node_says(said);
  REQUIRE(whole.at_client().size() == 5);
  for (std::size_t cut = 0; cut <= asked.size(); ++cut) {
    Conversed talk(manner);
    talk.client_says(Bytes(asked).first(cut));
    talk.client_says(Bytes(asked).subspan(cut));
    CHECK(talk.to_node == whole.to_node);
    CHECK(Bytes(whole.to_client).first(talk.to_client.size()).size() == talk.to_client.size());
  }
  for (std::size_t cut = 0; cut <= said.size(); ++cut) {
    Conversed talk(manner);
    talk.client_says(asked);
    talk.node_says(Bytes(said).first(cut));
    talk.node_says(Bytes(said).subspan(cut));
    CHECK(talk.at_client() == whole.at_client());
  }
  Conversed by_byte(manner);
  for (const std::uint8_t& byte : asked) by_byte.client_says(Bytes(&byte, 1));
  for (const std::uint8_t& byte : said) by_byte.node_says(Bytes(&byte, 1));
  CHECK(by_byte.to_node == whole.to_node);
  CHECK(by_byte.at_client() == whole.at_client());
}

TEST_CASE("what a node prepared and took is seen through every compression") {
  const Manner manner = any_manner();
  CAPTURE(manner.name);
  Conversed talk(manner);
  talk.client_asks(talk.request(1, opcode::prepare, test::prepare_body(manner.version, orders)));
  const Frames answers{
      talk.response(1, opcode::result, test::prepared_content(manner.version, bytes_of("id"))),
      talk.response(2, opcode::result, test::set_keyspace_content("system"))};
  talk.node_answers(answers[0]);
  talk.client_asks(talk.query(2, "USE system"));
  talk.node_answers(answers[1]);
  CHECK(talk.at_client() == answers);
  CHECK(talk.at_node().size() == 2);
  talk.client_asks(
      talk.request(1, opcode::execute, test::execute_body(manner.version, bytes_of("id"))));
  CHECK(talk.at_node().size() == 3);
  talk.client_asks(talk.query(2, "SELECT * FROM peers"));
  CHECK(talk.at_node().size() == 3);
  REQUIRE(talk.at_client().size() == 3);
  CHECK(answer_in(talk.at_client()[2]) == std::pair<std::int16_t, std::uint8_t>(2, opcode::result));
}

TEST_CASE("a prefix before what a node took hides nothing of it") {
  Conversed talk({"v4", 4});
  talk.client_asks(talk.query(2, "USE system"));
  const Buffer body = joined(
      {Buffer(16, 't'), from_hex("0001 0004 77617266"), test::set_keyspace_content("system")});
  const std::uint8_t flags = frame_flag::tracing | frame_flag::warnings;
  const Buffer answer = test::frame_of(
      {.sender = Sender::node, .version = 4, .flags = flags, .stream = 2, .opcode = opcode::result},
      body);
  talk.node_answers(answer);
  CHECK(talk.to_client == answer);
  talk.client_asks(talk.query(2, "SELECT * FROM peers"));
  CHECK(talk.at_client().size() == 2);
}

TEST_CASE("an answer waits for the end of a long frame that passes in parts") {
  const Manner manner = any_manner();
  CAPTURE(manner.name);
  Conversed talk(manner);
  Buffer body = rows_of(400'000);
  for (std::size_t i = 4; i < body.size(); ++i) body[i] = static_cast<std::uint8_t>(i * i >> 3);
  const Buffer long_frame = talk.response(1, opcode::result, body);
  const Buffer wire = on_wire(manner, long_frame);
  const std::size_t half = wire.size() / 2;
  talk.node_says(Bytes(wire).first(half));
  const std::size_t passed = talk.to_client.size();
  CHECK(passed > 0);
  talk.client_asks(talk.query(2, peers));
  talk.client_asks(talk.query(3, peers));
  CHECK(talk.to_client.size() == passed);
  for (Bytes rest = Bytes(wire).subspan(half); !rest.empty();) {
    const Bytes piece = rest.first(std::min<std::size_t>(rest.size(), 10'000));
    talk.node_says(piece);
    rest = rest.subspan(piece.size());
  }
  const Frames frames = talk.at_client();
  REQUIRE(frames.size() == 3);
  const bool is_same = frames[0] == long_frame;
  CHECK(is_same);
  CHECK(answer_in(frames[1]).first == 2);
  CHECK(answer_in(frames[2]).first == 3);
  if (!manner.form) CHECK(Bytes(talk.to_client).first(wire.size()).size() == wire.size());
}

TEST_CASE("the middle of a long frame passes as it came, and nothing of the gateway's within it") {
  Conversed talk({"v5 with lz4", 5, Compression::none, SegmentForm::lz4});
  const Buffer frame = talk.response(1, opcode::result, rows_of(300'000));
  const Bytes middle = Bytes(frame).subspan(100'000, 100'000);
  Buffer first;
  append_segment(first, SegmentForm::lz4, Bytes(frame).first(100'000), false);
  // As it is, though it could be compressed: the gateway would write it otherwise.
  const Buffer stored = lz4_segment_claiming(middle.size(), 0, middle, false);
  Buffer last;
  append_segment(last, SegmentForm::lz4, Bytes(frame).subspan(200'000), false);

  talk.node_says(first);
  talk.client_asks(talk.query(2, peers));
  talk.to_client.clear();
  Buffer empty;
  append_segment(empty, SegmentForm::lz4, {}, false);
  talk.node_says(empty);
  CHECK(talk.to_client.empty());
  talk.node_says(stored);
  const bool is_same = talk.to_client == stored;
  CHECK(is_same);
  talk.to_client.clear();
  talk.node_says(last);
  CHECK(talk.to_client.size() > last.size());  // with the answer
}

TEST_CASE("a long frame passes although its header came in pieces") {
  const auto form = GENERATE(values({SegmentForm::plain, SegmentForm::lz4}));
  Conversed talk({"v5", 5, Compression::none, form});
  const Buffer frame = talk.response(1, opcode::result, rows_of(200'000));
  Buffer wire;
  append_segment(wire, form, Bytes(frame).first(4), false);
  append_segment(wire, form, Bytes(frame).subspan(4, segment_payload_max), false);
  append_segment(wire, form, Bytes(frame).subspan(4 + segment_payload_max), false);
  talk.node_says(wire);
  const bool is_same = talk.at_client() == Frames{frame};
  CHECK(is_same);
}

TEST_CASE("of a thousand answers some are made at a time, and all in the end") {
  const Manner manner = any_manner();
  CAPTURE(manner.name);
  Conversed talk(manner);
  Buffer wire;
  for (std::int16_t stream = 0; stream < 1000; ++stream) {
    append_bytes(wire, on_wire(manner, talk.query(stream, peers)));
  }
  constexpr std::size_t at_a_time = std::size_t{64} * 1024;
  constexpr std::size_t one_answer = 4096;
  std::size_t calls = 1;
  SECTION("whenever the client has taken what there is") {
    auto result = talk.conversation.from_client(wire);
    talk.keep(result);
    for (; result.next == Next::again; ++calls) {
      CHECK(result.to_client.size() < at_a_time + one_answer);
      result = talk.conversation.from_client({});
      talk.keep(result);
    }
    CHECK(result.next == Next::on_bytes);
    CHECK(calls > 3);
  }
  SECTION("no more are held behind a long frame of the node's") {
    const Buffer response =
        on_wire(manner, talk.response(1, opcode::result, rows_of(std::size_t{300} * 1024)));
    // Cut where compression leaves some of it for later.
    const std::size_t most = response.size() - 1;
    talk.node_says(Bytes(response).first(most));
    const std::size_t passed = talk.to_client.size();
    talk.client_says(wire);
    if (passed > 0) {
      CHECK(talk.client_next == Next::after_other);
      CHECK(talk.conversation.from_client({}).next == Next::after_other);
      CHECK(talk.to_client.size() == passed);
    }
    talk.node_says(Bytes(response).subspan(most));
  }
  std::vector<std::int16_t> streams;
  for (const Buffer& frame : talk.at_client()) {
    if (frame.size() < std::size_t{100} * 1024) streams.push_back(answer_in(frame).first);
  }
  REQUIRE(streams.size() == 1000);
  CHECK(std::ranges::is_sorted(streams));
  CHECK(talk.to_node.empty());
}

TEST_CASE("an answer frees its stream, and no stream carries two requests") {
  const Manner manner = any_manner();
  CAPTURE(manner.name);
  Conversed talk(manner);
  for (int i = 0; i < 3; ++i) {
    talk.client_asks(talk.query(1, orders));
    talk.node_answers(talk.response(1, opcode::result, rows_of(20)));
  }
  CHECK(talk.at_client().size() == 3);
  CHECK(talk.client_next == Next::on_bytes);
  talk.client_asks(talk.query(1, orders));
  talk.client_asks(
      talk.request(1, opcode::prepare, test::prepare_body(manner.version, "USE system")));
  CHECK(talk.client_next == Next::stop);
  CHECK(talk.at_node().size() == 4);
}

TEST_CASE("SUPPORTED says what the gateway speaks, too") {
  const Manner manner = any_manner();
  CAPTURE(manner.name);
  Conversed talk(manner);
  Buffer body;
  append_supported(body, {.protocol_versions = {"5/v5", "6/v6-beta"},
                          .compression = {"lz4", "zstd"},
                          .cql_versions = {"3.4.7"}});
  talk.node_answers(talk.response(1, opcode::supported, body));
  const Frames frames = talk.at_client();
  REQUIRE(frames.size() == 1);
  const auto shown = parse_supported(test::content_of(frames[0], opcode::supported));
  REQUIRE(shown);
  CHECK(*shown == Supported{.protocol_versions = {"5/v5"},
                            .compression = {"lz4"},
                            .cql_versions = {"3.4.7"}});
}

TEST_CASE("a client that is malformed is told, and that is the end of it") {
  struct Case {
    std::string_view name;
    Buffer wire;
    std::uint32_t code;
  };
  const auto c = GENERATE(values<Case>({
      {"a response", from_hex("84 00 0009 08 00000000"), error_code::protocol},
      {"another version", test::request_frame(3, 9, opcode::query, test::query_body(3, orders)),
       error_code::protocol},
      {"a version not spoken", from_hex("42 00 0009 07 00000000"), error_code::protocol},
      {"no compression", from_hex("04 01 0009 07 00000004 ffffffff"), error_code::protocol},
      {"far too long", from_hex("04 00 0009 07 01000001"), error_code::invalid},
      {"a login", from_hex("04 00 0009 01 00000002 0000"), error_code::protocol},
  }));
  CAPTURE(c.name);
  const Manner manner{"v4 with lz4", 4, Compression::lz4};
  Conversed talk(manner);
  const Buffer before = on_wire(manner, talk.query(1, orders));
  talk.client_says(joined({before, c.wire, before}));
  CHECK(talk.client_next == Next::stop);
  CHECK_FALSE(talk.conversation.node_is_to_blame());
  CHECK(talk.at_node() == Frames{talk.query(1, orders)});
  REQUIRE(talk.at_client().size() == 1);
  CHECK(code_in(talk.at_client()[0]) == c.code);
}

TEST_CASE("in v5 a wrong checksum or a compressed frame is the end of a client, or of a node") {
  const Manner manner{"v5", 5, Compression::none, SegmentForm::plain};
  Conversed talk(manner);
  Buffer wrong = on_wire(manner, talk.query(1, orders));
  wrong.back() ^= 1;
  SECTION("a checksum of the client's") {
    talk.client_says(wrong);
  }
  SECTION("a compressed frame of the client's") {
    talk.client_asks(
        test::frame_of({.flags = frame_flag::compressed, .opcode = opcode::query}, Buffer(4, 0)));
  }
  SECTION("a checksum of the node's") {
    Buffer response = on_wire(manner, talk.response(1, opcode::result, rows_of(9)));
    response.back() ^= 1;
    talk.node_says(response);
    CHECK(talk.node_next == Next::stop);
    CHECK(talk.conversation.node_is_to_blame());
    CHECK(talk.to_client.empty());
    return;
  }
  CHECK(talk.client_next == Next::stop);
  REQUIRE(talk.at_client().size() == 1);
  CHECK(code_in(talk.at_client()[0]) == error_code::protocol);
  CHECK(talk.to_node.empty());
}

TEST_CASE("a node that is malformed is to blame") {
  const auto wire = GENERATE(values<std::string_view>({
      "04 00 0002 07 00000000",                // a request
      "c2 00 0002 08 00000000",                // of a version that is not spoken
      "84 00 ffff 0c 00000003 0005 61",        // an event that cannot be read
      "84 00 0002 06 00000003 0005 61",        // likewise, SUPPORTED
      "84 08 0002 00 00000003 ffff 00",        // an error with a prefix that lies
      "84 01 0002 00 00000004 00000000",       // a compression that nobody agreed on
      "84 00 0002 00 01000001",                // far too long
      "84 00 0002 08 10000001",                // longer than any
      "85 00 0002 00 00000006 00000000 0000",  // of another version
  }));
  CAPTURE(wire);
  Conversed talk({"v4", 4});
  const Buffer before = talk.response(1, opcode::result, rows_of(30));
  talk.node_says(joined({before, from_hex(wire), before}));
  CHECK(talk.node_next == Next::stop);
  CHECK(talk.conversation.node_is_to_blame());
  CHECK(talk.to_client == before);
}

TEST_CASE("a frame is limited during the handshake, and less once frames pass") {
  test::ClusterOfThree cluster;
  ConversationBuffers buffers;
  Conversation conversation(cluster, buffers);
  const Buffer body = test::query_body(4, std::string(Conversation::handshake_limit, ' '));
  const Buffer frame = test::request_frame(4, 1, opcode::query, body);
  SECTION("before") {
    conversation.requests().append(frame);
    CHECK(conversation.requests().next() == FrameReader::Outcome::too_long);
  }
  SECTION("behind") {
    conversation.begin({.version = 4, .hides_system_tables = false});
    CHECK(copy(conversation.from_client(frame).to_backend) == frame);
  }
}

TEST_CASE("the longest request passes, and one byte more does not") {
  Conversed talk({"v4", 4}, false);
  const std::size_t around = test::query_body(4, "").size();
  const std::size_t more = GENERATE(0U, 1U);
  const std::string text(Conversation::frame_limit - around + more, ' ');
  const Buffer frame = talk.query(1, text);
  talk.client_says(frame);
  CHECK((talk.to_node == frame) == (more == 0));
  CHECK((talk.client_next == Next::stop) == (more == 1));
}

}  // namespace gatehouse::cassandra
