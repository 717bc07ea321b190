#include "gateway/cassandra/frame_reader.h"

#include <utility>

namespace gatehouse::cassandra {

FrameReader::FrameReader(Sender sender, std::uint32_t limit, FrameSplitter::IsWanted is_wanted)
    : splitter_(sender, limit, std::move(is_wanted)) {}

void FrameReader::begin_segments(SegmentForm form) {
  segments_.emplace(form);
  segments_->append(splitter_.take_rest());
}

void FrameReader::append(Bytes bytes) {
  is_segment_ = false;
  if (segments_) {
    segments_->append(bytes);
  } else {
    splitter_.append(bytes);
  }
}

FrameReader::Outcome FrameReader::next() {
  is_segment_ = false;
  if (failed_) return Outcome::malformed;
  for (;;) {
    const Outcome outcome = splitter_.next();
    if (outcome != Outcome::need_more || !segments_) return outcome;
    const SegmentReader::Outcome segment = segments_->next();
    if (segment == SegmentReader::Outcome::need_more) return Outcome::need_more;
    failed_ = segment == SegmentReader::Outcome::malformed;
    const bool whole = !failed_ && segments_->is_self_contained();
    if (whole && !splitter_.between_frames()) failed_ = true;
    if (failed_) return Outcome::malformed;
    const Bytes payload = segments_->payload();
    if (!whole && !payload.empty() && splitter_.let_through(payload)) {
      is_segment_ = true;
      return Outcome::part;
    }
    splitter_.append(payload);
    if (whole && !splitter_.holds_whole_frames()) {
      failed_ = true;
      return Outcome::malformed;
    }
  }
}

}  // namespace gatehouse::cassandra
