#include "gateway/mariadb/bytes.h"

#include <algorithm>

namespace gatehouse::mariadb {

namespace {

// The first byte of a length-encoded integer, where it is not the integer itself.
constexpr std::uint8_t lenenc_2 = 0xFC;
constexpr std::uint8_t lenenc_3 = 0xFD;
constexpr std::uint8_t lenenc_8 = 0xFE;
constexpr std::uint8_t lenenc_1_max = 0xFA;

template <typename Container>
void append_integer(Container& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void put_integer(std::span<std::uint8_t> bytes, std::uint64_t value) noexcept {
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(value);
    value >>= 8;
  }
}

}  // namespace

std::uint64_t ByteReader::integer(std::size_t size) noexcept {
  const Bytes taken = bytes(size);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < taken.size(); ++i) value |= std::uint64_t{taken[i]} << (8 * i);
  return value;
}

std::uint64_t ByteReader::lenenc() noexcept {
  const std::uint8_t first = u8();
  if (first <= lenenc_1_max) return first;
  switch (first) {
    case lenenc_2:
      return integer(2);
    case lenenc_3:
      return integer(3);
    case lenenc_8:
      return integer(8);
    default:
      spoil();
      return 0;
  }
}

std::string_view ByteReader::text_until_nul() noexcept {
  const std::size_t end = as_text(rest()).find('\0');
  if (end == std::string_view::npos) {
    spoil();
    return {};
  }
  return as_text(bytes(end + 1)).substr(0, end);
}

std::string_view ByteReader::text_until_nul_or_end() noexcept {
  const std::size_t size = rest().size();
  const std::size_t end = std::min(as_text(rest()).find('\0'), size);
  return as_text(bytes(std::min(end + 1, size))).substr(0, end);
}

void append_u16(std::vector<std::uint8_t>& out, std::uint16_t value) {
  append_integer(out, value, 2);
}
void append_u32(std::vector<std::uint8_t>& out, std::uint32_t value) {
  append_integer(out, value, 4);
}

void append_lenenc(std::vector<std::uint8_t>& out, std::uint64_t value) {
  if (value <= lenenc_1_max) {
    append_integer(out, value, 1);
  } else if (value <= 0xFFFF) {
    append_u8(out, lenenc_2);
    append_integer(out, value, 2);
  } else if (value <= 0xFFFFFF) {
    append_u8(out, lenenc_3);
    append_integer(out, value, 3);
  } else {
    append_u8(out, lenenc_8);
    append_integer(out, value, 8);
  }
}

void append_lenenc_bytes(std::vector<std::uint8_t>& out, Bytes bytes) {
  append_lenenc(out, bytes.size());
  append_bytes(out, bytes);
}

void append_text(std::vector<std::uint8_t>& out, std::string_view text) {
  append_bytes(out, bytes_of(text));
}

void append_text_and_nul(std::vector<std::uint8_t>& out, std::string_view text) {
  append_text(out, text);
  append_u8(out, 0);
}

void put_u16(std::span<std::uint8_t> bytes, std::size_t at, std::uint16_t value) noexcept {
  put_integer(bytes.subspan(at, 2), value);
}

void put_u32(std::span<std::uint8_t> bytes, std::size_t at, std::uint32_t value) noexcept {
  put_integer(bytes.subspan(at, 4), value);
}

}  // namespace gatehouse::mariadb
