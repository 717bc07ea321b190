// The segments of protocol v5 (section 2.3 of its specification), which carry frames in both
// directions once the node has answered STARTUP: a header, a payload of up to 128 KiB, a checksum
// for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gateway/cassandra/bytes.h"

namespace gatehouse::cassandra {

// The first version of the protocol that has them.
inline constexpr std::uint8_t first_with_segments = 5;
inline constexpr std::size_t segment_payload_max = 128 * 1024 - 1;

// With lz4, headers are longer and payloads compressed where that saves anything. What STARTUP
// asked for decides, and both sides keep to it.
enum class SegmentForm { plain, lz4 };

// Cuts a stream of bytes into segments, however it arrives, and checks them. Holds one segment at
// most.
class SegmentReader {
 public:
  enum class Outcome {
    need_more,
    segment,
    malformed,  // a wrong checksum, or a length that cannot be: nothing more can be read
  };

  explicit SegmentReader(SegmentForm form) noexcept : form_(form) {}

  void append(Bytes bytes);
  // malformed is final: it comes again from then on.
  Outcome next();

  // What the last next() was about. Views live until the next call of append() or next().
  [[nodiscard]] Bytes payload() const noexcept { return payload_; }  // decompressed
  [[nodiscard]] Bytes bytes() const noexcept { return bytes_; }      // as it arrived, whole
  // As of FrameSplitter.
  [[nodiscard]] std::size_t memory() const noexcept {
    return held_.capacity() + decompressed_.capacity();
  }
  // Whether it holds whole frames, one or more; otherwise it holds a part of one long frame.
  [[nodiscard]] bool is_self_contained() const noexcept { return is_self_contained_; }

 private:
  struct Header;
  [[nodiscard]] Header read_segment_header(Bytes bytes) const noexcept;
  Outcome fail() noexcept;

  SegmentForm form_;
  std::vector<std::uint8_t> held_;
  std::size_t at_ = 0;  // what is before it in held_ was handed out
  std::vector<std::uint8_t> decompressed_;
  Bytes payload_;
  Bytes bytes_;
  bool is_self_contained_ = false;
  bool failed_ = false;
};

// One segment. REQUIRES: no more than segment_payload_max; whole frames where `is_self_contained`,
// otherwise bytes of one frame that is longer than a segment.
void append_segment(std::vector<std::uint8_t>& out, SegmentForm form, Bytes payload,
                    bool is_self_contained);
// One whole frame in as few segments as it takes.
void append_in_segments(std::vector<std::uint8_t>& out, SegmentForm form, Bytes frame);

}  // namespace gatehouse::cassandra
