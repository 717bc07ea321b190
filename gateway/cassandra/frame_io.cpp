#include "gateway/cassandra/frame_io.h"

#include <array>
#include <cstdint>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

namespace gatehouse::cassandra {

namespace {

constexpr std::size_t read_size = 4096;
// Reads of one peer before others have a turn: a frame may be long, and a segment may hold nothing.
constexpr int reads_per_turn = 64;

// The buffer is on the stack, not in a coroutine's frame, which lives as long as it waits.
Attempt read_some(Stream& stream, FrameReader& reader) {
  std::array<std::uint8_t, read_size> buffer;  // NOLINT: what was not read is not looked at
  const Attempt attempt = stream.try_read(buffer);
  if (attempt.bytes > 0) reader.append(Bytes(buffer).first(attempt.bytes));
  return attempt;
}

FrameIo from(Io io) noexcept {
  switch (io) {
    case Io::ok:
      return FrameIo::ok;
    case Io::end:
      return FrameIo::end;
    case Io::failed:
      return FrameIo::failed;
    case Io::aborted:
      return FrameIo::aborted;
  }
  return FrameIo::failed;
}

// Unset: more is needed.
std::optional<FrameIo> next_of(FrameReader& reader) {
  switch (reader.next()) {
    case FrameReader::Outcome::frame:
      return FrameIo::ok;
    case FrameReader::Outcome::unsupported:
      return FrameIo::unsupported;
    case FrameReader::Outcome::too_long:
      return FrameIo::too_long;
    case FrameReader::Outcome::malformed:
    case FrameReader::Outcome::part:
      return FrameIo::malformed;
    case FrameReader::Outcome::need_more:
      break;
  }
  return std::nullopt;
}

}  // namespace

Awaitable<FrameIo> read_frame(Stream& stream, FrameReader& reader) {
  for (int reads = 1;; ++reads) {
    if (const auto outcome = next_of(reader)) co_return *outcome;
    if (stream.aborted()) co_return FrameIo::aborted;
    const Attempt attempt = read_some(stream, reader);
    Io io = Io::ok;
    switch (attempt.progress) {
      case Progress::done:
        if (reads % reads_per_turn == 0) {
          co_await asio::post(co_await asio::this_coro::executor, use_awaitable);
        }
        break;
      case Progress::want_read:
        io = co_await stream.wait(Socket::wait_read);
        break;
      case Progress::want_write:
        io = co_await stream.wait(Socket::wait_write);
        break;
      case Progress::end:
        io = Io::end;
        break;
      case Progress::failed:
        io = Io::failed;
        break;
    }
    if (io != Io::ok) co_return from(io);
  }
}

Awaitable<Io> write_frame(Stream& stream, std::optional<SegmentForm> form, Bytes frame) {
  if (!form) co_return co_await stream.write_all(frame);
  std::vector<std::uint8_t> segments;
  append_in_segments(segments, *form, frame);
  co_return co_await stream.write_all(segments);
}

}  // namespace gatehouse::cassandra
