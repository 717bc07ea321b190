// An IPv4 or IPv6 address as a value, and inclusive ranges of them. No sockets, no names.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::rules {

// 128 bits, most significant first, so that comparison is address order.
struct Bits128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend constexpr auto operator<=>(const Bits128&, const Bits128&) = default;

  friend constexpr Bits128 operator&(Bits128 a, Bits128 b) {
    return {a.high & b.high, a.low & b.low};
  }
  friend constexpr Bits128 operator|(Bits128 a, Bits128 b) {
    return {a.high | b.high, a.low | b.low};
  }
  friend constexpr Bits128 operator^(Bits128 a, Bits128 b) {
    return {a.high ^ b.high, a.low ^ b.low};
  }
  friend constexpr Bits128 operator~(Bits128 a) { return {~a.high, ~a.low}; }
  // Modulo 2^128.
  friend constexpr Bits128 operator+(Bits128 a, Bits128 b) {
    const std::uint64_t sum = a.low + b.low;
    return {a.high + b.high + (sum < a.low ? 1 : 0), sum};
  }
  friend constexpr Bits128 operator-(Bits128 a, Bits128 b) {
    return {a.high - b.high - (a.low < b.low ? 1 : 0), a.low - b.low};
  }

  // The lowest `count` bits set; at most 128.
  static constexpr Bits128 ones(unsigned count) {
    constexpr std::uint64_t all = ~std::uint64_t{0};
    if (count >= 128) return {all, all};
    if (count >= 64) return {(std::uint64_t{1} << (count - 64)) - 1, all};
    return {0, (std::uint64_t{1} << count) - 1};
  }
  // How many bits it takes to write the number; 0 for 0.
  [[nodiscard]] constexpr unsigned width() const {
    return static_cast<unsigned>(high != 0 ? 64 + std::bit_width(high) : std::bit_width(low));
  }
};

class IpAddress {
 public:
  // 0.0.0.0. No rule can name it, so a forgotten initialisation matches nothing.
  constexpr IpAddress() = default;

  static constexpr IpAddress v4(std::uint32_t host_order) {
    IpAddress address;
    address.bits_ = {0, host_order};
    return address;
  }

  // `bytes` in network order. ::ffff:a.b.c.d comes back as the IPv4 address it carries: this is the
  // one place where IPv4 in IPv6 is unmapped, so no mapped address exists behind it.
  static IpAddress v6(const std::array<std::uint8_t, 16>& bytes);

  // An end of a range of IPv6 numbers, which is where ::ffff:0:0/96 stays part of a larger block:
  // nothing is unmapped.
  static constexpr IpAddress v6_border(Bits128 bits) {
    IpAddress address;
    address.is_v6_ = true;
    address.bits_ = bits;
    return address;
  }

  // Dotted quad without leading zeros, or RFC 4291 text; no zone, no brackets, no blanks.
  static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] constexpr bool is_v4() const { return !is_v6_; }
  // REQUIRES: is_v4(). Host order.
  [[nodiscard]] constexpr std::uint32_t v4_value() const {
    return static_cast<std::uint32_t>(bits_.low);
  }
  // Bits of an address of this family: 32 or 128.
  [[nodiscard]] constexpr unsigned width() const { return is_v6_ ? 128 : 32; }
  // The address as a number; for IPv4 its 32 bits.
  [[nodiscard]] constexpr Bits128 bits() const { return bits_; }
  // Network order. REQUIRES: !is_v4().
  [[nodiscard]] std::array<std::uint8_t, 16> v6_bytes() const;

  // 0.0.0.0 or ::
  [[nodiscard]] constexpr bool is_unspecified() const { return bits_ == Bits128{}; }

  // Dotted quad, or RFC 5952.
  [[nodiscard]] std::string to_string() const;

  // IPv4 before IPv6, then by number.
  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  friend struct IpRange;
  // As parse(), but IPv4 in IPv6 stays IPv6: a block's prefix counts the bits as written.
  static std::optional<IpAddress> parse_as_written(std::string_view text);
  [[nodiscard]] bool is_mapped() const;
  [[nodiscard]] IpAddress unmapped() const;

  bool is_v6_ = false;
  Bits128 bits_;
};

enum class RangeError {
  malformed,        // not an address, a block or a range
  prefix_too_long,  // /33 of IPv4, /129 of IPv6
  host_bits,        // bits set beyond the prefix; `range` then holds the whole block
  reversed,         // starts after it ends
  mixed_families,   // IPv4 on one side, IPv6 on the other
  unspecified,      // 0.0.0.0 or :: alone: elsewhere a sentinel for "all of the cloud"
};

struct ParsedRange;

// Both ends inclusive and of one family, first <= last.
struct IpRange {
  IpAddress first;
  IpAddress last;

  // An address, a CIDR block or first-last (blanks around the hyphen allowed). 0.0.0.0 and :: are
  // refused as an address, as a block of one and as a range of one; 0.0.0.0/0 is a block like
  // others.
  static ParsedRange parse(std::string_view text);

  [[nodiscard]] constexpr bool contains(const IpAddress& address) const {
    return first <= address && address <= last;
  }
  // A single address, else a CIDR block where the range is one, else first-last.
  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const IpRange&, const IpRange&) = default;
};

// Every address of a family.
inline constexpr IpRange all_v4{IpAddress::v4(0), IpAddress::v4(~std::uint32_t{0})};
inline constexpr IpRange all_v6{IpAddress::v6_border({}), IpAddress::v6_border(Bits128::ones(128))};

struct ParsedRange {
  std::optional<RangeError> error;  // Unset: `range` is what the text says.
  IpRange range;
};

}  // namespace gatehouse::rules
