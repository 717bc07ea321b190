#include "gateway/cassandra/segment.h"

#include <algorithm>
#include <utility>

#include "gateway/cassandra/checksum.h"
#include "gateway/cassandra/compression.h"

namespace gatehouse::cassandra {

namespace {

// Segments, unlike frames, are little-endian.
constexpr std::size_t crc24_size = 3;
constexpr std::size_t crc32_size = 4;
constexpr int length_bits = 17;
constexpr std::uint64_t length_mask = (1U << length_bits) - 1;

constexpr std::size_t plain_header_size = 3;
constexpr std::size_t lz4_header_size = 5;

constexpr std::size_t header_size_of(SegmentForm form) noexcept {
  return form == SegmentForm::plain ? plain_header_size : lz4_header_size;
}
constexpr int self_contained_bit_of(SegmentForm form) noexcept {
  return form == SegmentForm::plain ? length_bits : 2 * length_bits;
}

std::uint64_t little_endian(Bytes bytes) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
  return value;
}

void append_little_endian(std::vector<std::uint8_t>& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

}  // namespace

struct SegmentReader::Header {
  bool is_valid = false;
  std::size_t stored = 0;        // bytes of payload on the wire
  std::size_t decompressed = 0;  // 0: they are as they are
  bool is_self_contained = false;
};

SegmentReader::Header SegmentReader::read_segment_header(Bytes bytes) const noexcept {
  const std::size_t size = header_size_of(form_);
  const std::uint64_t fields = little_endian(bytes.first(size));
  const int self_contained_bit = self_contained_bit_of(form_);
  Header header{.stored = fields & length_mask,
                .is_self_contained = (fields >> self_contained_bit & 1) != 0};
  if (form_ == SegmentForm::lz4) header.decompressed = fields >> length_bits & length_mask;
  // The bits beyond are zero where Cassandra writes, and not looked at where it reads.
  header.is_valid = little_endian(bytes.subspan(size, crc24_size)) == crc24(bytes.first(size));
  return header;
}

void SegmentReader::append(Bytes bytes) {
  if (failed_) return;
  payload_ = {};
  bytes_ = {};
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(at_));
  at_ = 0;
  append_bytes(held_, bytes);
}

SegmentReader::Outcome SegmentReader::next() {
  payload_ = {};
  bytes_ = {};
  decompressed_ = std::vector<std::uint8_t>();
  if (failed_) return Outcome::malformed;
  const Bytes rest = Bytes(held_).subspan(at_);
  if (rest.empty()) {
    held_ = std::vector<std::uint8_t>();  // an idle connection holds no memory
    at_ = 0;
  }
  const std::size_t payload_at = header_size_of(form_) + crc24_size;
  if (rest.size() < payload_at) return Outcome::need_more;
  const Header header = read_segment_header(rest);
  if (!header.is_valid) return fail();
  const std::size_t size = payload_at + header.stored + crc32_size;
  if (rest.size() < size) return Outcome::need_more;

  const Bytes stored = rest.subspan(payload_at, header.stored);
  if (little_endian(rest.subspan(payload_at + header.stored, crc32_size)) !=
      crc32_of_payload(stored)) {
    return fail();
  }
  payload_ = stored;
  if (header.decompressed > 0) {
    auto plain = decompress_lz4_block(stored, header.decompressed);
    if (!plain) return fail();
    decompressed_ = std::move(*plain);
    payload_ = decompressed_;
  }
  bytes_ = rest.first(size);
  is_self_contained_ = header.is_self_contained;
  at_ += size;
  return Outcome::segment;
}

SegmentReader::Outcome SegmentReader::fail() noexcept {
  failed_ = true;
  payload_ = {};
  return Outcome::malformed;
}

void append_segment(std::vector<std::uint8_t>& out, SegmentForm form, Bytes payload,
                    bool is_self_contained) {
  std::vector<std::uint8_t> block;
  Bytes stored = payload;
  std::uint64_t decompressed = 0;
  if (form == SegmentForm::lz4) {
    auto compressed = compress_lz4_block(payload);
    if (compressed && compressed->size() < payload.size()) {
      block = std::move(*compressed);
      stored = block;
      decompressed = payload.size();
    }
  }
  std::uint64_t fields = stored.size() | decompressed << length_bits;
  if (is_self_contained) fields |= std::uint64_t{1} << self_contained_bit_of(form);

  const std::size_t header_at = out.size();
  append_little_endian(out, fields, header_size_of(form));
  const std::uint32_t crc = crc24(Bytes(out).subspan(header_at));
  append_little_endian(out, crc, crc24_size);
  append_bytes(out, stored);
  append_little_endian(out, crc32_of_payload(stored), crc32_size);
}

void append_in_segments(std::vector<std::uint8_t>& out, SegmentForm form, Bytes frame) {
  const bool fits = frame.size() <= segment_payload_max;
  while (!frame.empty()) {
    const Bytes payload = frame.first(std::min(frame.size(), segment_payload_max));
    append_segment(out, form, payload, fits);
    frame = frame.subspan(payload.size());
  }
}

}  // namespace gatehouse::cassandra
