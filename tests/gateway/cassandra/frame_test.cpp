#include "gateway/cassandra/frame.h"

#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include "tests/gateway/cassandra/frames.h"

namespace gatehouse::cassandra {

using test::Buffer;
using test::copy;
using test::frame_of;
using test::from_hex;
using test::joined;
using test::options_frame;
using Outcome = FrameSplitter::Outcome;

namespace {

constexpr FrameHeader query_header{.version = 4, .stream = 7, .opcode = opcode::query};
const Buffer query_body = from_hex("00000003 616263 0001 00");

// Everything that a splitter hands out of bytes that arrive in chunks of `size`.
Buffer read_in_chunks(FrameSplitter& splitter, Bytes bytes, std::size_t size, Outcome kind) {
  Buffer all;
  while (!bytes.empty()) {
    const Bytes chunk = bytes.first(std::min(size, bytes.size()));
    bytes = bytes.subspan(chunk.size());
    splitter.append(chunk);
    for (Outcome outcome = splitter.next(); outcome != Outcome::need_more;
         outcome = splitter.next()) {
      REQUIRE(outcome == kind);
      append_bytes(all, splitter.part());
    }
  }
  return all;
}

}  // namespace

TEST_CASE("a header says who speaks, in what version, of what, and how much of it") {
  const auto client = read_header(from_hex("04 03 ff80 0a 01020304"), Sender::client);
  REQUIRE(client.outcome == HeaderRead::Outcome::header);
  CHECK(client.header == FrameHeader{.version = 4,
                                     .flags = frame_flag::compressed | frame_flag::tracing,
                                     .stream = -128,
                                     .opcode = opcode::execute,
                                     .length = 0x01020304});
  const auto node = read_header(from_hex("85 00 ffff 0c 00000000"), Sender::node);
  REQUIRE(node.outcome == HeaderRead::Outcome::header);
  CHECK(node.header ==
        FrameHeader{.sender = Sender::node, .version = 5, .stream = -1, .opcode = opcode::event});
}

TEST_CASE("no prefix of a header is a header") {
  test::for_each_prefix(options_frame(), [](Bytes prefix) {
    CHECK(read_header(prefix, Sender::client).outcome == HeaderRead::Outcome::need_more);
  });
}

TEST_CASE("a header that is not one of this side's is malformed from its first byte") {
  const auto [bytes, sender] = GENERATE(table<Buffer, Sender>({
      {from_hex("85"), Sender::client},
      {from_hex("05"), Sender::node},
      {from_hex("00"), Sender::client},
      {from_hex("80"), Sender::node},
      {from_hex("05 00 0000 07 10000001"), Sender::client},
  }));
  CHECK(read_header(bytes, sender).outcome == HeaderRead::Outcome::malformed);
}

TEST_CASE("a version that is not spoken still tells its stream") {
  struct Case {
    std::string_view name;
    Buffer bytes;
    int version;
    int stream;
  };
  const auto c = GENERATE(values<Case>({
      {"v1", from_hex("01 00 05 01 00000000"), 1, 5},
      {"v2, the last stream", from_hex("02 00 80 01 00000000"), 2, -128},
      {"v6", from_hex("06 00 0005 05 00000000"), 6, 5},
      {"DSE's first", from_hex("41 00 0102 05 00000000"), 65, 0x102},
      {"DSE's second", from_hex("42 00 fffe 01 00000000"), 66, -2},
      {"the last there is, of any length", from_hex("7f 00 0001 01 ffffffff"), 127, 1},
  }));
  CAPTURE(c.name);
  const auto read = read_header(c.bytes, Sender::client);
  CHECK(read.outcome == HeaderRead::Outcome::unsupported);
  CHECK(read.header.version == c.version);
  CHECK(read.header.stream == c.stream);
  test::for_each_prefix(c.bytes, [](Bytes prefix) {
    CHECK(read_header(prefix, Sender::client).outcome == HeaderRead::Outcome::need_more);
  });
}

TEST_CASE("a header that is written reads the same") {
  const FrameHeader header{.sender = Sender::node,
                           .version = 3,
                           .flags = frame_flag::warnings,
                           .stream = -1,
                           .opcode = opcode::event,
                           .length = body_size_max};
  Buffer out{0xAA};
  append_header(out, header);
  REQUIRE(out.size() == 1 + header_size);
  const auto read = read_header(Bytes(out).subspan(1), Sender::node);
  CHECK(read.outcome == HeaderRead::Outcome::header);
  CHECK(read.header == header);
}

TEST_CASE("a frame written in place is the frame written at once") {
  Buffer out{0xAA};
  FrameWriter writer(out, query_header);
  append_bytes(out, query_body);
  writer.end();
  CHECK(out == joined({{0xAA}, frame_of(query_header, query_body)}));
}

TEST_CASE("frames are found however their bytes arrive") {
  const Buffer first = frame_of(query_header, query_body);
  const Buffer all = joined({first, options_frame(), first});
  const auto size = GENERATE(range<std::size_t>(1, 60));
  FrameSplitter splitter(Sender::client, 1024);
  CHECK(read_in_chunks(splitter, all, size, Outcome::frame) == all);
  CHECK(splitter.between_frames());
}

TEST_CASE("a frame is handed out with its header and its body") {
  const Buffer bytes = frame_of(query_header, query_body);
  FrameSplitter splitter(Sender::client, 1024);
  splitter.append(bytes);
  REQUIRE(splitter.next() == Outcome::frame);
  CHECK(copy(splitter.frame()) == bytes);
  CHECK(copy(splitter.body()) == query_body);
  CHECK(splitter.header().stream == 7);
  CHECK(splitter.header().length == query_body.size());
  CHECK(splitter.next() == Outcome::need_more);
}

TEST_CASE("a frame may be as long as the limit and no longer") {
  const auto [limit, outcome] = GENERATE(table<std::uint32_t, Outcome>({
      {10, Outcome::frame},
      {9, Outcome::too_long},
  }));
  REQUIRE(query_body.size() == 10);
  FrameSplitter splitter(Sender::client, limit);
  splitter.append(frame_of(query_header, query_body));
  CHECK(splitter.next() == outcome);
}

TEST_CASE("a frame that is too long is found by its header and ends everything") {
  FrameSplitter splitter(Sender::client, 1024);
  splitter.append(from_hex("04 00 0009 07 00000401"));
  CHECK(splitter.next() == Outcome::too_long);
  CHECK(splitter.header().stream == 9);
  splitter.append(options_frame());
  CHECK(splitter.next() == Outcome::too_long);
}

TEST_CASE("what cannot be read ends everything") {
  const auto [bytes, outcome] = GENERATE(table<Buffer, Outcome>({
      {from_hex("42 00 0003 05 00000000"), Outcome::unsupported},
      {from_hex("16 03 01 0200 01 00"), Outcome::need_more},
      {from_hex("84 00 0003 05 00000000"), Outcome::malformed},
  }));
  FrameSplitter splitter(Sender::client, 1024);
  splitter.append(joined({options_frame(), bytes}));
  REQUIRE(splitter.next() == Outcome::frame);
  CHECK(splitter.next() == outcome);
  CHECK(splitter.next() == outcome);
}

TEST_CASE("frames that nobody wants pass in parts, in full, and are asked about once") {
  const Buffer unwanted = frame_of({.opcode = opcode::batch}, Buffer(3000, 'x'));
  const Buffer all = joined({unwanted, unwanted});
  const auto size = GENERATE(values<std::size_t>({1, 8, 9, 10, 1000, 3008, 3009, 3010, 7000}));
  int asked = 0;
  FrameSplitter splitter(Sender::client, 100, [&asked](const FrameHeader& header) {
    ++asked;
    CHECK(header.length == 3000);
    return false;
  });
  CHECK(read_in_chunks(splitter, all, size, Outcome::part) == all);
  CHECK(asked == 2);
  CHECK(splitter.between_frames());
}

TEST_CASE("a wanted frame is asked about once, however slowly it arrives") {
  int asked = 0;
  FrameSplitter splitter(Sender::client, 100, [&asked](const FrameHeader&) {
    ++asked;
    return true;
  });
  const Buffer bytes = frame_of(query_header, query_body);
  CHECK(read_in_chunks(splitter, bytes, 1, Outcome::frame) == bytes);
  CHECK(asked == 1);
}

TEST_CASE("a splitter in the middle of a frame is not between frames") {
  FrameSplitter splitter(Sender::client, 1024,
                         [](const FrameHeader& header) { return header.length == 0; });
  const Buffer bytes = frame_of(query_header, query_body);
  CHECK(splitter.between_frames());
  splitter.append(Bytes(bytes).first(12));
  REQUIRE(splitter.next() == Outcome::part);
  CHECK_FALSE(splitter.between_frames());
  splitter.append(Bytes(bytes).subspan(12));
  CHECK_FALSE(splitter.between_frames());
  REQUIRE(splitter.next() == Outcome::part);
  CHECK(splitter.between_frames());
}

TEST_CASE("what was not handed out can be taken by another reader") {
  FrameSplitter splitter(Sender::client, 1024);
  splitter.append(joined({options_frame(), from_hex("01 02 03")}));
  REQUIRE(splitter.next() == Outcome::frame);
  CHECK(splitter.take_rest() == from_hex("01 02 03"));
  CHECK(splitter.between_frames());
  CHECK(splitter.next() == Outcome::need_more);
}

}  // namespace gatehouse::cassandra
