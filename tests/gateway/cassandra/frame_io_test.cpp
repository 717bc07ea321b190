#include "gateway/cassandra/frame_io.h"

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>
#include <sys/socket.h>

#include "gateway/net/descriptor.h"
#include "tests/gateway/cassandra/frames.h"

namespace gatehouse::cassandra {
namespace {

using test::Buffer;
using test::frame_of;
using test::joined;

constexpr std::uint32_t limit = 100'000;

// A node's end of a connection, and ours.
struct Fixture {
  asio::io_context context{1};
  Descriptor far;
  std::optional<Stream> stream;
  FrameReader reader{Sender::node, limit};

  Fixture() {
    std::array<int, 2> sockets{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) == 0);
    far = Descriptor(sockets[1]);
    stream.emplace(
        Socket(context.get_executor(), asio::generic::stream_protocol(AF_UNIX, 0), sockets[0]));
  }

  void say(Bytes bytes) const {
    REQUIRE(::send(far.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  Buffer hear() const {
    Buffer buffer(500'000);
    const auto size = ::recv(far.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    buffer.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return buffer;
  }

  // Unset: it waits for more.
  std::optional<FrameIo> outcome;
  void begin_to_read() {
    outcome.reset();
    asio::co_spawn(context, read_frame(*stream, reader),
                   [this](const std::exception_ptr& failure, FrameIo how) {
                     if (!failure) outcome = how;
                   });
    turn();
  }
  void turn() {
    context.restart();
    context.poll();
  }
  std::optional<FrameIo> read() {
    begin_to_read();
    return outcome;
  }
};

Buffer answer(std::uint8_t code, std::size_t size) {
  return frame_of({.sender = Sender::node, .opcode = code}, Buffer(size, 'x'));
}

TEST_CASE_METHOD(Fixture, "a frame is read however it arrives", "[io]") {
  const Buffer frame = answer(opcode::result, 20);
  begin_to_read();
  for (const std::uint8_t byte : frame) {
    REQUIRE_FALSE(outcome);
    say(Bytes(&byte, 1));
    turn();
  }
  REQUIRE(outcome == FrameIo::ok);
  CHECK(test::copy(reader.frame()) == frame);
}

TEST_CASE_METHOD(Fixture, "what comes behind a frame is kept for the next", "[io]") {
  say(joined({answer(opcode::ready, 0), answer(opcode::result, 20'000), answer(opcode::event, 5)}));
  far = Descriptor();
  REQUIRE(read() == FrameIo::ok);
  CHECK(reader.header().opcode == opcode::ready);
  REQUIRE(read() == FrameIo::ok);
  CHECK(reader.body().size() == 20'000);
  REQUIRE(read() == FrameIo::ok);
  CHECK(reader.header().opcode == opcode::event);
  CHECK(read() == FrameIo::end);
}

TEST_CASE_METHOD(Fixture, "a frame that is longer than a turn is read whole", "[io]") {
  reader = FrameReader(Sender::node, 400'000);
  const Buffer frame = answer(opcode::result, 350'000);
  begin_to_read();
  for (std::size_t at = 0; at < frame.size(); at += 50'000) {
    REQUIRE_FALSE(outcome);
    say(Bytes(frame).subspan(at, std::min<std::size_t>(50'000, frame.size() - at)));
    turn();
  }
  REQUIRE(outcome == FrameIo::ok);
  CHECK(test::copy(reader.frame()) == frame);
}

TEST_CASE_METHOD(Fixture, "segments are read from where they begin", "[io]") {
  Buffer all = answer(opcode::authenticate, 3);
  append_in_segments(all, SegmentForm::plain, answer(opcode::result, 1000));
  say(all);
  REQUIRE(read() == FrameIo::ok);
  reader.begin_segments(SegmentForm::plain);
  REQUIRE(read() == FrameIo::ok);
  CHECK(reader.body().size() == 1000);
}

TEST_CASE_METHOD(Fixture, "what is no frame of a node is told apart", "[io]") {
  SECTION("longer than the limit, by its header alone") {
    say(Bytes(answer(opcode::result, limit + 1)).first(header_size));
    CHECK(read() == FrameIo::too_long);
  }
  SECTION("a version that is not spoken") {
    say(test::from_hex("c1 00 00 00 0000 0000 00"));
    CHECK(read() == FrameIo::unsupported);
  }
  SECTION("a client's frame") {
    say(test::options_frame());
    CHECK(read() == FrameIo::malformed);
  }
  SECTION("half of one") {
    say(Bytes(answer(opcode::result, 20)).first(15));
    far = Descriptor();
    CHECK(read() == FrameIo::end);
  }
}

TEST_CASE_METHOD(Fixture, "a read that was aborted goes on where it was", "[io]") {
  const Buffer frame = answer(opcode::result, 20);
  say(Bytes(frame).first(15));
  begin_to_read();
  REQUIRE_FALSE(outcome);
  stream->abort();
  turn();
  REQUIRE(outcome == FrameIo::aborted);
  say(Bytes(frame).subspan(15));
  CHECK(read() == FrameIo::aborted);
  stream->resume();
  REQUIRE(read() == FrameIo::ok);
  CHECK(test::copy(reader.frame()) == frame);
}

TEST_CASE_METHOD(Fixture, "a frame is written bare, or in segments once they have begun", "[io]") {
  const Buffer frame = frame_of({.opcode = opcode::query}, Buffer(1000, 'q'));
  const auto form = GENERATE(std::optional<SegmentForm>(), std::optional(SegmentForm::plain));
  Buffer expected;
  if (form) {
    append_in_segments(expected, *form, frame);
  } else {
    expected = frame;
  }
  std::optional<Io> written;
  asio::co_spawn(context, write_frame(*stream, form, frame),
                 [&](const std::exception_ptr& failure, Io how) {
                   if (!failure) written = how;
                 });
  turn();
  REQUIRE(written == Io::ok);
  CHECK(hear() == expected);
}

}  // namespace
}  // namespace gatehouse::cassandra
