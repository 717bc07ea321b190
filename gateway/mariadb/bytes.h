// Reading and writing the protocol's integers and strings: little-endian, length-encoded and
// NUL-terminated. Knows nothing of packets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace gatehouse::mariadb {

// Whoever hands out Bytes or a string_view owns what they show; it lives as long as the payload.
using Bytes = std::span<const std::uint8_t>;

// A position in a peer's bytes. A read that does not fit returns zero or nothing and spoils the
// reader for good, so that a parser may read all its fields and ask ok() once. Never reads past the
// end.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) noexcept : rest_(bytes) {}

  std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(integer(1)); }
  std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(integer(2)); }
  std::uint32_t u32() noexcept { return static_cast<std::uint32_t>(integer(4)); }

  // A length-encoded integer. 0xFB (a NULL value) and 0xFF (an error) are no integers.
  std::uint64_t lenenc() noexcept;
  // A length-encoded integer and as many bytes.
  Bytes lenenc_bytes() noexcept { return bytes(lenenc()); }
  // Up to the next NUL, which is read too. Without one the read does not fit.
  std::string_view text_until_nul() noexcept;
  // The same, but all that is left where there is no NUL: this always fits.
  std::string_view text_until_nul_or_end() noexcept;
  Bytes bytes(std::uint64_t count) noexcept;

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  // Whether everything was read, or the reader is spoilt: there is nothing more to have.
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] Bytes rest() const noexcept { return rest_; }

 private:
  std::uint64_t integer(std::size_t size) noexcept;
  void spoil() noexcept;

  Bytes rest_;
  bool ok_ = true;
};

[[nodiscard]] std::string_view as_text(Bytes bytes) noexcept;
[[nodiscard]] Bytes bytes_of(std::string_view text) noexcept;

void append_u8(std::vector<std::uint8_t>& out, std::uint8_t value);
void append_u16(std::vector<std::uint8_t>& out, std::uint16_t value);
void append_u32(std::vector<std::uint8_t>& out, std::uint32_t value);
void append_lenenc(std::vector<std::uint8_t>& out, std::uint64_t value);
void append_lenenc_bytes(std::vector<std::uint8_t>& out, Bytes bytes);
void append_bytes(std::vector<std::uint8_t>& out, Bytes bytes);
void append_text(std::vector<std::uint8_t>& out, std::string_view text);
// REQUIRES: no NUL in `text`.
void append_text_and_nul(std::vector<std::uint8_t>& out, std::string_view text);

// Overwrite what is there. REQUIRES: the value fits.
void put_u16(std::span<std::uint8_t> bytes, std::size_t at, std::uint16_t value) noexcept;
void put_u32(std::span<std::uint8_t> bytes, std::size_t at, std::uint32_t value) noexcept;

}  // namespace gatehouse::mariadb
