#include "gateway/cassandra/bytes.h"

#include <algorithm>
#include <limits>

namespace gatehouse::cassandra {

namespace {

constexpr std::size_t short_size_max = std::numeric_limits<std::uint16_t>::max();
constexpr std::int32_t null_length = -1;
constexpr std::int32_t unset_length = -2;

}  // namespace

std::optional<InetAddress> inet_address(Bytes octets) noexcept {
  if (octets.size() != 4 && octets.size() != 16) return std::nullopt;
  InetAddress address;
  address.size = static_cast<std::uint8_t>(octets.size());
  std::ranges::copy(octets, address.octets.begin());
  return address;
}

std::string_view ByteReader::string() noexcept {
  return as_text(short_bytes());
}

std::string_view ByteReader::long_string() noexcept {
  // A negative length, as unsigned, is longer than any frame.
  return as_text(bytes(u32()));
}

Value ByteReader::value() noexcept {
  const std::int32_t length = i32();
  if (length >= 0) {
    const Bytes taken = bytes(static_cast<std::uint64_t>(length));
    return ok() ? Value{Value::State::set, taken} : Value{};
  }
  if (length == null_length) return {};
  if (length == unset_length) return {Value::State::unset, {}};
  spoil();
  return {};
}

InetAddress ByteReader::inet_address() noexcept {
  const auto address = cassandra::inet_address(bytes(u8()));
  if (!address) spoil();
  return address.value_or(InetAddress{});
}

void ByteReader::skip_string_list() noexcept {
  for (std::uint16_t left = u16(); left > 0 && ok(); --left) short_bytes();
}

void ByteReader::skip_bytes_map() noexcept {
  for (std::uint16_t left = u16(); left > 0 && ok(); --left) {
    short_bytes();
    value();
  }
}

void append_u16(std::vector<std::uint8_t>& out, std::uint16_t value) {
  append_big_endian(out, value, 2);
}
void append_u32(std::vector<std::uint8_t>& out, std::uint32_t value) {
  append_big_endian(out, value, 4);
}
void append_u64(std::vector<std::uint8_t>& out, std::uint64_t value) {
  append_big_endian(out, value, 8);
}

void append_string(std::vector<std::uint8_t>& out, std::string_view text) {
  append_short_bytes(out, bytes_of(text));
}

void append_short_bytes(std::vector<std::uint8_t>& out, Bytes bytes) {
  const Bytes fitting = bytes.first(std::min(bytes.size(), short_size_max));
  append_u16(out, static_cast<std::uint16_t>(fitting.size()));
  append_bytes(out, fitting);
}

void append_long_bytes(std::vector<std::uint8_t>& out, Bytes bytes) {
  append_u32(out, static_cast<std::uint32_t>(bytes.size()));
  append_bytes(out, bytes);
}

void append_null(std::vector<std::uint8_t>& out) {
  append_u32(out, static_cast<std::uint32_t>(null_length));
}

void append_inet_address(std::vector<std::uint8_t>& out, const InetAddress& address) {
  append_u8(out, address.size);
  append_bytes(out, address.bytes());
}

void put_u32(std::span<std::uint8_t> bytes, std::size_t at, std::uint32_t value) noexcept {
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * (3 - i)));
  }
}

}  // namespace gatehouse::cassandra
