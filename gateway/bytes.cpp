#include "gateway/bytes.h"

namespace gatehouse {

Bytes ByteCursor::bytes(std::uint64_t count) noexcept {
  if (count > rest_.size()) {
    spoil();
    return {};
  }
  const Bytes taken = rest_.first(static_cast<std::size_t>(count));
  rest_ = rest_.subspan(taken.size());
  return taken;
}

void ByteCursor::spoil() noexcept {
  ok_ = false;
  rest_ = {};
}

std::uint64_t BigEndianReader::integer(std::size_t size) noexcept {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes(size)) value = value << 8 | byte;
  return value;
}

std::string_view as_text(Bytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes bytes_of(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void append_u8(std::vector<std::uint8_t>& out, std::uint8_t value) {
  out.push_back(value);
}

void append_bytes(std::vector<std::uint8_t>& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_big_endian(std::vector<std::uint8_t>& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i-- > 0;) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

}  // namespace gatehouse
