// Whole frames, read from and written to a stream.
#pragma once

#include <optional>

#include "gateway/cassandra/frame_reader.h"
#include "gateway/cassandra/segment.h"
#include "gateway/net/tls_stream.h"

namespace gatehouse::cassandra {

enum class FrameIo {
  ok,
  unsupported,  // this and the next two as with FrameSplitter: nothing more can be read
  malformed,
  too_long,
  end,  // the peer closed; also in the middle of a frame
  failed,
  aborted,  // what was read so far is kept: the next call goes on behind it
};

// The next frame, which is then in `reader`; what was read beyond it stays there for the next call.
// A connection that waits holds no buffer. REQUIRES: the reader hands out every frame whole. Both
// must outlive the result.
Awaitable<FrameIo> read_frame(Stream& stream, FrameReader& reader);

// A whole frame, in segments where they have begun; `frame` must outlive the result.
Awaitable<Io> write_frame(Stream& stream, std::optional<SegmentForm> form, Bytes frame);

}  // namespace gatehouse::cassandra
