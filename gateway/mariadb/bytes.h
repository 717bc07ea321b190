// Reading and writing the protocol's integers and strings: little-endian, length-encoded and
// NUL-terminated. Knows nothing of packets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gateway/bytes.h"

namespace gatehouse::mariadb {

// An integer that does not fit reads as zero.
class ByteReader : public ByteCursor {
 public:
  using ByteCursor::ByteCursor;

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

 private:
  std::uint64_t integer(std::size_t size) noexcept;
};

void append_u16(std::vector<std::uint8_t>& out, std::uint16_t value);
void append_u32(std::vector<std::uint8_t>& out, std::uint32_t value);
void append_lenenc(std::vector<std::uint8_t>& out, std::uint64_t value);
void append_lenenc_bytes(std::vector<std::uint8_t>& out, Bytes bytes);
void append_text(std::vector<std::uint8_t>& out, std::string_view text);
// REQUIRES: no NUL in `text`.
void append_text_and_nul(std::vector<std::uint8_t>& out, std::string_view text);

// Overwrite what is there. REQUIRES: the value fits.
void put_u16(std::span<std::uint8_t> bytes, std::size_t at, std::uint16_t value) noexcept;
void put_u32(std::span<std::uint8_t> bytes, std::size_t at, std::uint32_t value) noexcept;

}  // namespace gatehouse::mariadb
