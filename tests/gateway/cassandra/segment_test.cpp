#include "gateway/cassandra/segment.h"

#include <string>

#include <catch2/catch.hpp>

#include "tests/gateway/cassandra/segments.h"

namespace gatehouse::cassandra {

using test::Buffer;
using test::copy;
using test::from_hex;
using test::joined;
using test::lz4_segment_claiming;
using test::options_frame;
using Outcome = SegmentReader::Outcome;

namespace {

// What the DataStax driver for Python writes, and Cassandra takes.
const Buffer options_segment = from_hex("090002 a4c8c1 050000000500000000 1086284d");

// Text that compresses well, but not into nothing.
Buffer compressible(std::size_t size) {
  Buffer bytes;
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(i % 251));
  return bytes;
}

}  // namespace

TEST_CASE("a segment reads as its frame, whole and checked") {
  SegmentReader reader(SegmentForm::plain);
  reader.append(options_segment);
  REQUIRE(reader.next() == Outcome::segment);
  CHECK(copy(reader.payload()) == options_frame());
  CHECK(copy(reader.bytes()) == options_segment);
  CHECK(reader.is_self_contained());
  CHECK(reader.next() == Outcome::need_more);
}

TEST_CASE("a frame is written as the drivers write it") {
  Buffer out;
  append_in_segments(out, SegmentForm::plain, options_frame());
  CHECK(out == options_segment);
}

TEST_CASE("no prefix of a segment is a segment") {
  test::for_each_prefix(options_segment, [](Bytes prefix) {
    SegmentReader reader(SegmentForm::plain);
    reader.append(prefix);
    CHECK(reader.next() == Outcome::need_more);
  });
}

TEST_CASE("a segment with one bit changed is malformed, and so is all behind it") {
  const std::size_t bit = GENERATE(range<std::size_t>(0, 152));
  REQUIRE(options_segment.size() * 8 == 152);
  Buffer bytes = options_segment;
  bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ 1U << (bit % 8));
  SegmentReader reader(SegmentForm::plain);
  reader.append(bytes);
  CHECK(reader.next() == Outcome::malformed);
  CHECK(reader.payload().empty());
  reader.append(options_segment);
  CHECK(reader.next() == Outcome::malformed);
}

TEST_CASE("segments come out as they went in, however they arrive") {
  const auto form = GENERATE(SegmentForm::plain, SegmentForm::lz4);
  const auto size = GENERATE(values<std::size_t>({0, 1, 9, 100, segment_payload_max}));
  const auto chunk = GENERATE(values<std::size_t>({1, 7, 4096, 1 << 20}));
  if (chunk < 4096 && size > 100) return;  // the same again, for a long time
  const bool self_contained = GENERATE(true, false);
  const Buffer payload = compressible(size);
  Buffer wire;
  append_segment(wire, form, payload, self_contained);
  append_segment(wire, form, payload, self_contained);

  SegmentReader reader(form);
  int found = 0;
  for (Bytes left = wire; !left.empty();) {
    const Bytes part = left.first(std::min(chunk, left.size()));
    left = left.subspan(part.size());
    reader.append(part);
    for (Outcome outcome = reader.next(); outcome != Outcome::need_more; outcome = reader.next()) {
      REQUIRE(outcome == Outcome::segment);
      CHECK(copy(reader.payload()) == payload);
      CHECK(reader.is_self_contained() == self_contained);
      ++found;
    }
  }
  CHECK(found == 2);
}

TEST_CASE("lz4 makes a segment shorter where it can, and leaves it alone where it cannot") {
  Buffer wire;
  append_segment(wire, SegmentForm::lz4, Buffer(10'000, 'a'), true);
  CHECK(wire.size() < 200);
  wire.clear();
  append_segment(wire, SegmentForm::lz4, options_frame(), true);
  CHECK(wire.size() == 8 + 9 + 4);
}

TEST_CASE("a compressed segment that lies about its length is malformed") {
  // A block of ten times 'a', by hand: a literal, a match of nine, and the last five as literals.
  Buffer wire;
  append_segment(wire, SegmentForm::lz4, Buffer(1000, 'a'), true);
  const Buffer block = copy(Bytes(wire).subspan(8, wire.size() - 12));
  const auto [claimed, outcome] = GENERATE(table<std::uint64_t, Outcome>({
      {1000, Outcome::segment},
      {999, Outcome::malformed},
      {1001, Outcome::malformed},
      {segment_payload_max, Outcome::malformed},
  }));
  SegmentReader reader(SegmentForm::lz4);
  reader.append(lz4_segment_claiming(block.size(), claimed, block));
  CHECK(reader.next() == outcome);
}

TEST_CASE("a payload that is not an LZ4 block is malformed") {
  const Buffer noise = from_hex("ff ff ff ff 00 00");
  SegmentReader reader(SegmentForm::lz4);
  reader.append(lz4_segment_claiming(noise.size(), 100, noise));
  CHECK(reader.next() == Outcome::malformed);
}

TEST_CASE("a frame longer than a segment takes several, none of them self-contained") {
  const auto form = GENERATE(SegmentForm::plain, SegmentForm::lz4);
  const Buffer frame = compressible(2 * segment_payload_max + 1);
  Buffer wire;
  append_in_segments(wire, form, frame);
  SegmentReader reader(form);
  reader.append(wire);
  Buffer read;
  int segments = 0;
  while (reader.next() == Outcome::segment) {
    CHECK_FALSE(reader.is_self_contained());
    append_bytes(read, reader.payload());
    ++segments;
  }
  CHECK(segments == 3);
  CHECK(read == frame);
}

TEST_CASE("a frame that just fits is one segment, self-contained") {
  Buffer wire;
  append_in_segments(wire, SegmentForm::plain, compressible(segment_payload_max));
  SegmentReader reader(SegmentForm::plain);
  reader.append(wire);
  REQUIRE(reader.next() == Outcome::segment);
  CHECK(reader.is_self_contained());
  CHECK(reader.next() == Outcome::need_more);
}

}  // namespace gatehouse::cassandra
