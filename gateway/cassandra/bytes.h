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

namespace gatehouse::cassandra {

// Whoever hands out Bytes or a string_view owns what they show; it lives as long as the frame.
using Bytes = std::span<const std::uint8_t>;

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

// A position in a peer's bytes. A read that does not fit returns zero or nothing and spoils the
// reader for good, so that a parser may read all its fields and ask ok() once. Never reads past the
// end, and never takes a length for memory that is there.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) noexcept : rest_(bytes) {}

  std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(integer(1)); }
  std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(integer(2)); }
  std::uint32_t u32() noexcept { return static_cast<std::uint32_t>(integer(4)); }
  std::int32_t i32() noexcept { return static_cast<std::int32_t>(u32()); }
  std::uint64_t u64() noexcept { return integer(8); }

  Bytes bytes(std::uint64_t count) noexcept;
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

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  // Whether everything was read, or the reader is spoilt: there is nothing more to have.
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] Bytes rest() const noexcept { return rest_; }
  // From now on nothing fits. For a parser that has found a lie of its own kind.
  void spoil() noexcept;

 private:
  std::uint64_t integer(std::size_t size) noexcept;

  Bytes rest_;
  bool ok_ = true;
};

[[nodiscard]] std::string_view as_text(Bytes bytes) noexcept;
[[nodiscard]] Bytes bytes_of(std::string_view text) noexcept;

void append_u8(std::vector<std::uint8_t>& out, std::uint8_t value);
void append_u16(std::vector<std::uint8_t>& out, std::uint16_t value);
void append_u32(std::vector<std::uint8_t>& out, std::uint32_t value);
void append_u64(std::vector<std::uint8_t>& out, std::uint64_t value);
void append_bytes(std::vector<std::uint8_t>& out, Bytes bytes);
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
