#include "gateway/cassandra/frame.h"

#include <algorithm>
#include <utility>

namespace gatehouse::cassandra {

namespace {

constexpr std::uint8_t response_bit = 0x80;
// Versions 1 and 2: a stream of one byte, so everything behind it is one byte nearer.
constexpr std::uint8_t last_short_version = 2;
constexpr std::size_t short_header_size = 8;
constexpr std::size_t length_at = 5;

}  // namespace

HeaderRead read_header(Bytes bytes, Sender sender) noexcept {
  if (bytes.empty()) return {};
  const bool is_response = (bytes[0] & response_bit) != 0;
  HeaderRead read;
  read.header.sender = sender;
  read.header.version = static_cast<std::uint8_t>(bytes[0] & ~response_bit);
  if (is_response != (sender == Sender::node) || read.header.version == 0) {
    read.outcome = HeaderRead::Outcome::malformed;
    return read;
  }
  const bool is_short = read.header.version <= last_short_version;
  if (bytes.size() < (is_short ? short_header_size : header_size)) return read;
  ByteReader reader(bytes.subspan(1));
  const std::uint8_t flags = reader.u8();
  // The one byte of old is signed, as the two are: its sign goes on through the byte before it.
  std::uint16_t stream = is_short ? reader.u8() : reader.u16();
  if (is_short && stream > 0x7F) stream |= 0xFF00;
  read.header.stream = static_cast<std::int16_t>(stream);
  if (!is_supported_version(read.header.version)) {
    read.outcome = HeaderRead::Outcome::unsupported;
    return read;
  }
  read.header.flags = flags;
  read.header.opcode = reader.u8();
  read.header.length = reader.u32();
  read.outcome = read.header.length <= body_size_max ? HeaderRead::Outcome::header
                                                     : HeaderRead::Outcome::malformed;
  return read;
}

void append_header(std::vector<std::uint8_t>& out, const FrameHeader& header) {
  const std::uint8_t direction = header.sender == Sender::node ? response_bit : 0;
  append_u8(out, static_cast<std::uint8_t>(header.version | direction));
  append_u8(out, header.flags);
  append_u16(out, static_cast<std::uint16_t>(header.stream));
  append_u8(out, header.opcode);
  append_u32(out, header.length);
}

void append_frame(std::vector<std::uint8_t>& out, FrameHeader header, Bytes body) {
  header.length = static_cast<std::uint32_t>(body.size());
  append_header(out, header);
  append_bytes(out, body);
}

FrameWriter::FrameWriter(std::vector<std::uint8_t>& out, const FrameHeader& header)
    : out_(out), at_(out.size()) {
  append_header(out_, header);
}

void FrameWriter::end() noexcept {
  put_u32(out_, at_ + length_at, static_cast<std::uint32_t>(out_.size() - at_ - header_size));
}

FrameSplitter::FrameSplitter(Sender sender, std::uint32_t limit, IsWanted is_wanted)
    : sender_(sender), limit_(std::min(limit, body_size_max)), is_wanted_(std::move(is_wanted)) {}

void FrameSplitter::append(Bytes bytes) {
  if (failed_ != Outcome::need_more) return;
  taken_ = {};
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(at_));
  at_ = 0;
  append_bytes(held_, bytes);
}

bool FrameSplitter::let_through(Bytes bytes) noexcept {
  if (bytes.size() >= part_left_ || at_ != held_.size()) return false;
  part_left_ -= bytes.size();
  return true;
}

FrameSplitter::Outcome FrameSplitter::next() {
  taken_ = {};
  if (failed_ != Outcome::need_more) return failed_;
  const Outcome outcome = part_left_ > 0 ? take_part() : begin_frame();
  // An idle connection holds no memory for the longest frame that it ever carried. Assigning {}
  // would keep it.
  if (outcome == Outcome::need_more && at_ == held_.size()) {
    held_ = std::vector<std::uint8_t>();
    at_ = 0;
  }
  return outcome;
}

FrameSplitter::Outcome FrameSplitter::begin_frame() {
  const Bytes rest = Bytes(held_).subspan(at_);
  if (is_waiting_) return take_frame(rest);
  const HeaderRead read = read_header(rest, sender_);
  switch (read.outcome) {
    case HeaderRead::Outcome::need_more:
      return Outcome::need_more;
    case HeaderRead::Outcome::unsupported:
      header_ = read.header;
      return fail(Outcome::unsupported);
    case HeaderRead::Outcome::malformed:
      header_ = read.header;
      return fail(Outcome::malformed);
    case HeaderRead::Outcome::header:
      break;
  }
  header_ = read.header;
  if (is_wanted_ && !is_wanted_(header_)) {
    part_left_ = header_size + header_.length;
    return take_part();
  }
  if (header_.length > limit_) return fail(Outcome::too_long);
  is_waiting_ = true;
  return take_frame(rest);
}

FrameSplitter::Outcome FrameSplitter::take_frame(Bytes rest) noexcept {
  const std::size_t size = header_size + header_.length;
  if (rest.size() < size) return Outcome::need_more;
  taken_ = rest.first(size);
  at_ += size;
  is_waiting_ = false;
  return Outcome::frame;
}

FrameSplitter::Outcome FrameSplitter::take_part() noexcept {
  const std::uint64_t here = std::min<std::uint64_t>(held_.size() - at_, part_left_);
  if (here == 0) return Outcome::need_more;
  taken_ = Bytes(held_).subspan(at_, static_cast<std::size_t>(here));
  at_ += taken_.size();
  part_left_ -= here;
  return Outcome::part;
}

FrameSplitter::Outcome FrameSplitter::fail(Outcome outcome) noexcept {
  failed_ = outcome;
  return outcome;
}

bool FrameSplitter::between_frames() const noexcept {
  return part_left_ == 0 && at_ == held_.size();
}

bool FrameSplitter::holds_whole_frames() const noexcept {
  Bytes rest = Bytes(held_).subspan(at_);
  while (!rest.empty()) {
    const HeaderRead read = read_header(rest, sender_);
    if (read.outcome == HeaderRead::Outcome::need_more) return false;
    if (read.outcome != HeaderRead::Outcome::header) return true;  // next() will say so
    const std::size_t size = header_size + read.header.length;
    if (rest.size() < size) return false;
    rest = rest.subspan(size);
  }
  return true;
}

std::vector<std::uint8_t> FrameSplitter::take_rest() {
  std::vector<std::uint8_t> rest(held_.begin() + static_cast<std::ptrdiff_t>(at_), held_.end());
  held_ = std::vector<std::uint8_t>();
  at_ = 0;
  taken_ = {};
  return rest;
}

}  // namespace gatehouse::cassandra
