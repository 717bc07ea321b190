#include "gateway/cassandra/frame_reader.h"

#include <catch2/catch.hpp>

#include "tests/gateway/cassandra/frames.h"

namespace gatehouse::cassandra {

using test::Buffer;
using test::copy;
using test::frame_of;
using test::joined;
using test::options_frame;
using Outcome = FrameReader::Outcome;

namespace {

constexpr std::uint32_t limit = 1024 * 1024;

Buffer in_segments(Bytes frame) {
  Buffer out;
  append_in_segments(out, SegmentForm::plain, frame);
  return out;
}

Buffer segment_of(Bytes payload, bool is_self_contained) {
  Buffer out;
  append_segment(out, SegmentForm::plain, payload, is_self_contained);
  return out;
}

const Buffer short_frame = frame_of({.opcode = opcode::query}, Buffer(20, 'q'));
const Buffer long_frame = frame_of({.opcode = opcode::query}, Buffer(300'000, 'q'));

}  // namespace

TEST_CASE("segments begin where they are told to, with what had arrived already") {
  const std::size_t arrived = GENERATE(range<std::size_t>(9, 9 + 19 + 1));
  const Buffer all = joined({options_frame(), in_segments(options_frame())});
  FrameReader reader(Sender::client, limit);
  reader.append(Bytes(all).first(arrived));
  REQUIRE(reader.next() == Outcome::frame);
  reader.begin_segments(SegmentForm::plain);
  reader.append(Bytes(all).subspan(arrived));
  REQUIRE(reader.next() == Outcome::frame);
  CHECK(copy(reader.frame()) == options_frame());
  CHECK(reader.next() == Outcome::need_more);
}

TEST_CASE("frames come out of segments of every kind") {
  const Buffer several = joined({options_frame(), options_frame()});
  const Buffer wire = joined({segment_of(several, true), in_segments(long_frame),
                              in_segments(options_frame()), segment_of({}, true)});
  const auto chunk = GENERATE(values<std::size_t>({13, 100'000, 1 << 20}));
  FrameReader reader(Sender::client, limit);
  reader.begin_segments(SegmentForm::plain);
  std::vector<Buffer> frames;
  for (Bytes left = wire; !left.empty();) {
    const Bytes part = left.first(std::min(chunk, left.size()));
    left = left.subspan(part.size());
    reader.append(part);
    for (Outcome outcome = reader.next(); outcome != Outcome::need_more; outcome = reader.next()) {
      REQUIRE(outcome == Outcome::frame);
      frames.push_back(copy(reader.frame()));
    }
  }
  CHECK(frames ==
        std::vector<Buffer>{options_frame(), options_frame(), long_frame, options_frame()});
}

TEST_CASE("a frame longer than the limit is refused before its segments are gathered") {
  FrameReader reader(Sender::client, 1000);
  reader.begin_segments(SegmentForm::plain);
  reader.append(segment_of(Bytes(long_frame).first(segment_payload_max), false));
  CHECK(reader.next() == Outcome::too_long);
}

TEST_CASE("a self-contained segment that does not hold whole frames is malformed") {
  struct Case {
    std::string_view name;
    Buffer wire;
  };
  const auto c = GENERATE_COPY(values<Case>({
      {"the beginning of a frame", segment_of(Bytes(long_frame).first(100), true)},
      {"less than a header", segment_of(Bytes(options_frame()).first(8), true)},
      {"in the middle of a long frame",
       joined({segment_of(Bytes(long_frame).first(100), false), in_segments(options_frame())})},
      {"the end of a frame that was begun",
       joined({segment_of(Bytes(short_frame).first(10), false),
               segment_of(Bytes(short_frame).subspan(10), true)})},
      {"more of a long frame", joined({segment_of(Bytes(long_frame).first(100), false),
                                       segment_of(Bytes(long_frame).subspan(100, 100), true)})},
  }));
  CAPTURE(c.name);
  FrameReader reader(Sender::client, limit);
  reader.begin_segments(SegmentForm::plain);
  reader.append(c.wire);
  CHECK(reader.next() == Outcome::malformed);
  CHECK(reader.next() == Outcome::malformed);
}

TEST_CASE("a wrong checksum is malformed, and what was whole before it is not lost") {
  Buffer wire = joined({in_segments(options_frame()), in_segments(options_frame())});
  wire.back() ^= 1;
  FrameReader reader(Sender::client, limit);
  reader.begin_segments(SegmentForm::plain);
  reader.append(wire);
  CHECK(reader.next() == Outcome::frame);
  CHECK(reader.next() == Outcome::malformed);
}

TEST_CASE("frames that nobody wants pass through segments in parts") {
  FrameReader reader(Sender::client, 100, [](const FrameHeader&) { return false; });
  reader.begin_segments(SegmentForm::plain);
  reader.append(joined({in_segments(long_frame), in_segments(options_frame())}));
  Buffer all;
  while (reader.next() == Outcome::part) append_bytes(all, reader.part());
  CHECK(all == joined({long_frame, options_frame()}));
}

TEST_CASE("a segment in the middle of a frame in parts is there as it came, too") {
  const SegmentForm form = GENERATE(SegmentForm::plain, SegmentForm::lz4);
  std::vector<Buffer> wire;
  for (Bytes left = long_frame; !left.empty();) {
    const Bytes payload = left.first(std::min<std::size_t>(left.size(), 100'000));
    append_segment(wire.emplace_back(), form, payload, false);
    left = left.subspan(payload.size());
  }
  REQUIRE(wire.size() == 4);
  FrameReader reader(Sender::client, limit, [](const FrameHeader&) { return false; });
  reader.begin_segments(form);
  append_segment(wire.back(), form, options_frame(), true);
  reader.append(joined({wire[0], wire[1], wire[2], wire[3]}));
  Buffer passed;
  const std::vector<Buffer> expected{{}, wire[1], wire[2], {}};  // ends may share one with others
  for (const Buffer& segment : expected) {
    REQUIRE(reader.next() == Outcome::part);
    CHECK(copy(reader.segment()) == segment);
    append_bytes(passed, reader.part());
  }
  CHECK(passed == long_frame);
  CHECK(reader.next() == Outcome::part);
  CHECK(copy(reader.part()) == options_frame());
  CHECK(reader.segment().empty());
}

TEST_CASE("once all is handed out nothing is held, in whatever form it came") {
  const auto form = GENERATE(
      values<std::optional<SegmentForm>>({std::nullopt, SegmentForm::plain, SegmentForm::lz4}));
  const bool is_wanted = GENERATE(false, true);
  FrameReader reader(Sender::client, limit, [&](const FrameHeader&) { return is_wanted; });
  if (form) reader.begin_segments(*form);
  const auto go_through = [&] {
    auto outcome = reader.next();
    while (outcome == Outcome::frame || outcome == Outcome::part) outcome = reader.next();
    return outcome;
  };
  for (int i = 0; i < 2; ++i) {
    for (const Buffer& frame : {long_frame, options_frame()}) {
      Buffer wire = frame;
      if (form) {
        wire.clear();
        append_in_segments(wire, *form, frame);
      }
      reader.append(Bytes(wire).first(5));
      CHECK(go_through() == Outcome::need_more);
      reader.append(Bytes(wire).subspan(5));
      CHECK(reader.memory() > 0);
      CHECK(go_through() == Outcome::need_more);
      CHECK(reader.memory() == 0);
    }
  }
}

TEST_CASE("whether more of a frame in parts is to come is known") {
  FrameReader reader(Sender::client, 100, [](const FrameHeader&) { return false; });
  CHECK_FALSE(reader.is_in_part());
  for (std::size_t at = 0; at < short_frame.size(); ++at) {
    reader.append(Bytes(short_frame).subspan(at, 1));
    while (reader.next() == Outcome::part) continue;
    CHECK(reader.is_in_part() == (at + 1 >= header_size && at + 1 < short_frame.size()));
  }
  FrameReader whole(Sender::client, 100);
  whole.append(Bytes(short_frame).first(15));
  CHECK(whole.next() == Outcome::need_more);
  CHECK_FALSE(whole.is_in_part());
}

TEST_CASE("the middle of a frame in parts is let through, and neither its ends nor a wanted one") {
  for (std::size_t begun = 0; begun < long_frame.size(); begun += 7) {
    FrameReader reader(Sender::client, 100, [](const FrameHeader&) { return false; });
    reader.append(Bytes(long_frame).first(begun));
    while (reader.next() == Outcome::part) continue;
    const Bytes rest = Bytes(long_frame).subspan(begun);
    CHECK_FALSE(reader.let_through(rest));
    CHECK_FALSE(reader.let_through(joined({{rest.begin(), rest.end()}, options_frame()})));
    CHECK(reader.let_through(rest.first(rest.size() - 1)) == (begun >= header_size));
    if (begun < header_size) continue;
    reader.append(joined({{long_frame.back()}, options_frame()}));
    CHECK(reader.next() == Outcome::part);
    CHECK(reader.part().size() == 1);
    CHECK(reader.next() == Outcome::part);
    CHECK(reader.part().size() == options_frame().size());
  }
  FrameReader wanted(Sender::client, limit);
  wanted.append(Bytes(long_frame).first(15));
  CHECK(wanted.next() == Outcome::need_more);
  CHECK_FALSE(wanted.let_through(Bytes(long_frame).subspan(15, 1)));
}

TEST_CASE("a limit that is set counts for frames that have not begun") {
  FrameReader reader(Sender::client, 20);
  reader.append(Bytes(short_frame).first(header_size));
  CHECK(reader.next() == Outcome::need_more);
  reader.set_limit(10);
  reader.append(Bytes(short_frame).subspan(header_size));
  CHECK(reader.next() == Outcome::frame);
  reader.append(short_frame);
  CHECK(reader.next() == Outcome::too_long);
}

}  // namespace gatehouse::cassandra
