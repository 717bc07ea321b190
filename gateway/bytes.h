// A peer's bytes, whatever protocol they speak: a position in them that never passes their end, and
// big-endian integers. Each protocol's own notations are built on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace gatehouse {

// Whoever hands out Bytes or a string_view owns what they show; it lives as long as the bytes do.
using Bytes = std::span<const std::uint8_t>;

// A read that does not fit returns nothing and spoils the cursor for good, so that a parser may
// read all its fields and ask ok() once. Never reads past the end, and never takes a length for
// memory that is there.
class ByteCursor {
 public:
  explicit ByteCursor(Bytes bytes) noexcept : rest_(bytes) {}

  Bytes bytes(std::uint64_t count) noexcept;

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  // Whether everything was read, or the cursor is spoilt: there is nothing more to have.
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] Bytes rest() const noexcept { return rest_; }
  // From now on nothing fits. For a parser that has found a lie of its own kind.
  void spoil() noexcept;

 private:
  Bytes rest_;
  bool ok_ = true;
};

// One that reads integers in network order. An integer that does not fit reads as zero.
class BigEndianReader : public ByteCursor {
 public:
  using ByteCursor::ByteCursor;

  std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(integer(1)); }
  std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(integer(2)); }
  std::uint32_t u32() noexcept { return static_cast<std::uint32_t>(integer(4)); }
  std::uint64_t u64() noexcept { return integer(8); }

 private:
  std::uint64_t integer(std::size_t size) noexcept;
};

[[nodiscard]] std::string_view as_text(Bytes bytes) noexcept;
[[nodiscard]] Bytes bytes_of(std::string_view text) noexcept;

void append_u8(std::vector<std::uint8_t>& out, std::uint8_t value);
void append_bytes(std::vector<std::uint8_t>& out, Bytes bytes);
// The lowest `size` bytes of the value, the highest of them first.
void append_big_endian(std::vector<std::uint8_t>& out, std::uint64_t value, std::size_t size);

}  // namespace gatehouse
