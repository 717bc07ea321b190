// The frame around everything that client and node say (section 2 of the native protocol's
// specifications; v5 calls it an envelope): a header of nine bytes and a body. What is in v5's
// segments is in segment.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "gateway/cassandra/bytes.h"

namespace gatehouse::cassandra {

inline constexpr std::uint8_t version_min = 3;
inline constexpr std::uint8_t version_max = 5;
[[nodiscard]] constexpr bool is_supported_version(std::uint8_t version) noexcept {
  return version >= version_min && version <= version_max;
}

inline constexpr std::size_t header_size = 9;
// What the protocol allows. Cassandra itself takes 16 MiB where it is not told otherwise.
inline constexpr std::uint32_t body_size_max = 256 * 1024 * 1024;

namespace opcode {
inline constexpr std::uint8_t error = 0x00;
inline constexpr std::uint8_t startup = 0x01;
inline constexpr std::uint8_t ready = 0x02;
inline constexpr std::uint8_t authenticate = 0x03;
inline constexpr std::uint8_t options = 0x05;
inline constexpr std::uint8_t supported = 0x06;
inline constexpr std::uint8_t query = 0x07;
inline constexpr std::uint8_t result = 0x08;
inline constexpr std::uint8_t prepare = 0x09;
inline constexpr std::uint8_t execute = 0x0A;
inline constexpr std::uint8_t register_events = 0x0B;
inline constexpr std::uint8_t event = 0x0C;
inline constexpr std::uint8_t batch = 0x0D;
inline constexpr std::uint8_t auth_challenge = 0x0E;
inline constexpr std::uint8_t auth_response = 0x0F;
inline constexpr std::uint8_t auth_success = 0x10;
}  // namespace opcode

namespace frame_flag {
inline constexpr std::uint8_t compressed = 0x01;
inline constexpr std::uint8_t tracing = 0x02;
inline constexpr std::uint8_t custom_payload = 0x04;
inline constexpr std::uint8_t warnings = 0x08;
inline constexpr std::uint8_t beta = 0x10;
}  // namespace frame_flag

enum class Sender { client, node };

struct FrameHeader {
  Sender sender = Sender::client;
  std::uint8_t version = version_max;
  std::uint8_t flags = 0;
  std::int16_t stream = 0;
  std::uint8_t opcode = opcode::error;
  std::uint32_t length = 0;  // of the body, in bytes

  bool operator==(const FrameHeader&) const = default;
};

struct HeaderRead {
  enum class Outcome {
    need_more,
    header,
    // A version that is not spoken here. `header` has its version and its stream and nothing else:
    // enough to say so. Versions 1 and 2 have a header of eight bytes with a stream of one.
    unsupported,
    malformed,  // the other side's direction bit, or version 0: this is not CQL, or a lie
  };
  Outcome outcome = Outcome::need_more;
  FrameHeader header;
};
// Of the bytes that begin a frame. The first byte alone tells malformed.
[[nodiscard]] HeaderRead read_header(Bytes bytes, Sender sender) noexcept;

// Writes header_size bytes.
void append_header(std::vector<std::uint8_t>& out, const FrameHeader& header);
// A whole frame; the header's length is that of the body, whatever it says. REQUIRES: the body is
// no longer than body_size_max.
void append_frame(std::vector<std::uint8_t>& out, FrameHeader header, Bytes body);

// A frame whose body is written in place: what is appended to `out` between making one and end() is
// the body.
class FrameWriter {
 public:
  FrameWriter(std::vector<std::uint8_t>& out, const FrameHeader& header);
  void end() noexcept;

 private:
  std::vector<std::uint8_t>& out_;
  std::size_t at_;
};

// Cuts a stream of bytes into frames, however it arrives. Holds what has arrived of one frame and
// never more, whatever length a header claims.
class FrameSplitter {
 public:
  // Whether a frame is to be handed out whole; asked once, when its header is there. Others come in
  // parts as they arrive, for whoever only passes them on; they may be as long as body_size_max.
  using IsWanted = std::function<bool(const FrameHeader&)>;

  enum class Outcome {
    need_more,    // nothing to hand out until more is appended
    frame,        // frame() and body()
    part,         // the next bytes of a frame that is not wanted: part(), the header included
    unsupported,  // header() has version and stream; from here on nothing can be read
    malformed,    // the same; not CQL, or more than body_size_max
    too_long,     // the same; a wanted frame longer than `limit`
  };

  // `limit`: of a wanted frame's body, in bytes. Without `is_wanted` every frame is wanted.
  FrameSplitter(Sender sender, std::uint32_t limit, IsWanted is_wanted = {});

  void append(Bytes bytes);
  // Whether `bytes`, which come next, are nothing but the middle of a frame that is handed out in
  // parts. Then they are one as they are, and need not be appended.
  [[nodiscard]] bool let_through(Bytes bytes) noexcept;
  // The last three outcomes are final: they come again from then on.
  Outcome next();

  // What the last next() was about. Views live until the next call of append() or next().
  [[nodiscard]] const FrameHeader& header() const noexcept { return header_; }
  [[nodiscard]] Bytes frame() const noexcept { return taken_; }
  [[nodiscard]] Bytes body() const noexcept { return taken_.subspan(header_size); }
  [[nodiscard]] Bytes part() const noexcept { return taken_; }

  // Whether there is more to come of a frame of which parts were handed out.
  [[nodiscard]] bool is_in_part() const noexcept { return part_left_ > 0; }
  void set_limit(std::uint32_t limit) noexcept { limit_ = limit; }
  // Whether everything appended was handed out and nothing of a next frame is here or due.
  [[nodiscard]] bool between_frames() const noexcept;
  // Whether what was appended and not handed out are whole frames, as far as it can be read.
  // REQUIRES: between_frames() before they were appended.
  [[nodiscard]] bool holds_whole_frames() const noexcept;
  // What it takes to hold what is here, in bytes: none once next() needs more and nothing is left.
  [[nodiscard]] std::size_t memory() const noexcept { return held_.capacity(); }
  // Hands over what was appended and not yet handed out, for another reader to go on with.
  [[nodiscard]] std::vector<std::uint8_t> take_rest();

 private:
  Outcome fail(Outcome outcome) noexcept;
  Outcome begin_frame();
  Outcome take_frame(Bytes rest) noexcept;
  Outcome take_part() noexcept;

  Sender sender_;
  std::uint32_t limit_;
  IsWanted is_wanted_;
  std::vector<std::uint8_t> held_;
  std::size_t at_ = 0;           // what is before it in held_ was handed out
  std::uint64_t part_left_ = 0;  // of an unwanted frame
  bool is_waiting_ = false;      // for the rest of a wanted frame, which header_ is of
  FrameHeader header_;
  Bytes taken_;
  Outcome failed_ = Outcome::need_more;  // need_more: not yet
};

}  // namespace gatehouse::cassandra
