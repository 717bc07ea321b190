// Reading and writing the notations of CQL's native protocol (section 3 of its specifications, v3
// to v5): big-endian integers, strings, bytes, string maps and addresses. Knows nothing of frames.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/bytes.h"

namespace gatehouse::cassandra {

// An address as the wire has it: 4 or 16 bytes, and nothing else.
struct InetAddress {
  std::array<std::uint8_t, 16> octets{};
  std::uint8_t size = 4;

  [[nodiscard]] Bytes bytes() const noexcept { return Bytes(octets).first(size); }
  bool operator==(const InetAddress&) const = default;
};
// No value: neither 4 nor 16 bytes.
[[nodiscard]] std::optional<InetAddress> inet_address(Bytes octets) noexcept;

// [value]: bytes, or one of two ways to have none.
struct Value {
  enum class State { set, null, unset };
  State state = State::null;
  Bytes bytes;  // empty unless set
};

// An integer that does not fit reads as zero.
class ByteReader : public BigEndianReader {
 public:
  using BigEndianReader::BigEndianReader;

  std::int32_t i32() noexcept { return static_cast<std::int32_t>(u32()); }
  // [string] and [short bytes]: 16 bits of length.
  std::string_view string() noexcept;
  Bytes short_bytes() noexcept { return bytes(u16()); }
  // [long string]: 32 bits of length, of which none is negative.
  std::string_view long_string() noexcept;
  // [value]; as [bytes], which may not be unset, read `state` as "set or not".
  Value value() noexcept;
  // [inetaddr], and the first part of [inet]: the size and the octets.
  InetAddress inet_address() noexcept;
  // [string list], of which nothing is kept.
  void skip_string_list() noexcept;
  // [bytes map], of which nothing is kept.
  void skip_bytes_map() noexcept;
};

void append_u16(std::vector<std::uint8_t>& out, std::uint16_t value);
void append_u32(std::vector<std::uint8_t>& out, std::uint32_t value);
void append_u64(std::vector<std::uint8_t>& out, std::uint64_t value);
// [string] and [short bytes]. What is beyond 65535 bytes is left out: whoever writes more than a
// name has the other form.
void append_string(std::vector<std::uint8_t>& out, std::string_view text);
void append_short_bytes(std::vector<std::uint8_t>& out, Bytes bytes);
// [bytes] and [long string]. REQUIRES: less than 2 GiB.
void append_long_bytes(std::vector<std::uint8_t>& out, Bytes bytes);
void append_null(std::vector<std::uint8_t>& out);
void append_inet_address(std::vector<std::uint8_t>& out, const InetAddress& address);

// Overwrites what is there. REQUIRES: the value fits.
void put_u32(std::span<std::uint8_t> bytes, std::size_t at, std::uint32_t value) noexcept;

}  // namespace gatehouse::cassandra
