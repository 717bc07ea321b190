// One direction of a connection: bytes in, frames out, whether they come bare or in segments.
#pragma once

#include <cstdint>
#include <optional>

#include "gateway/cassandra/bytes.h"
#include "gateway/cassandra/frame.h"
#include "gateway/cassandra/segment.h"

namespace gatehouse::cassandra {

// A FrameSplitter that in v5 changes to segments once, and holds them to their word: one that says
// it is self-contained holds whole frames.
class FrameReader {
 public:
  using Outcome = FrameSplitter::Outcome;

  // As of FrameSplitter.
  FrameReader(Sender sender, std::uint32_t limit, FrameSplitter::IsWanted is_wanted = {});

  // From the next byte on that is not part of a frame already handed out, there are segments: in
  // v5, on both sides, behind the node's answer to STARTUP (READY or AUTHENTICATE, not ERROR).
  // REQUIRES: the last next() handed out a frame, or there was none yet; called once.
  void begin_segments(SegmentForm form);
  // Of frames that have not begun yet.
  void set_limit(std::uint32_t limit) noexcept { splitter_.set_limit(limit); }

  void append(Bytes bytes);
  // As of FrameSplitter.
  [[nodiscard]] bool let_through(Bytes bytes) noexcept {
    return !segments_ && splitter_.let_through(bytes);
  }
  // As of FrameSplitter. A segment that lies is malformed.
  Outcome next();

  [[nodiscard]] const FrameHeader& header() const noexcept { return splitter_.header(); }
  [[nodiscard]] Bytes frame() const noexcept { return splitter_.frame(); }
  [[nodiscard]] Bytes body() const noexcept { return splitter_.body(); }
  [[nodiscard]] Bytes part() const noexcept {
    return segments_ && is_segment_ ? segments_->payload() : splitter_.part();
  }
  // The segment as it arrived, of which the part is all there is: it may pass so, without being
  // made anew. Empty: there is none such. Lives as long as the part.
  [[nodiscard]] Bytes segment() const noexcept {
    return segments_ && is_segment_ ? segments_->bytes() : Bytes();
  }
  [[nodiscard]] bool is_in_part() const noexcept { return splitter_.is_in_part(); }
  // As of FrameSplitter.
  [[nodiscard]] std::size_t memory() const noexcept {
    return splitter_.memory() + (segments_ ? segments_->memory() : 0);
  }

 private:
  FrameSplitter splitter_;
  std::optional<SegmentReader> segments_;
  bool is_segment_ = false;  // the part is all of one
  bool failed_ = false;
};

}  // namespace gatehouse::cassandra
