#include "rules/ip_address.h"

#include <algorithm>
#include <charconv>

namespace gatehouse::rules {
namespace {

constexpr std::size_t group_count = 8;
using Groups = std::array<std::uint16_t, group_count>;

// ::ffff:0:0/96 (RFC 4291, section 2.5.5.2).
constexpr std::uint64_t mapped_prefix = 0xffff;

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes one decimal octet off the front. A leading zero is refused: some readers take it for octal.
bool take_octet(std::string_view& text, std::uint32_t& value) {
  std::size_t length = 0;
  std::uint32_t octet = 0;
  while (length < text.size() && length < 3 && is_digit(text[length])) {
    octet = octet * 10 + static_cast<std::uint32_t>(text[length] - '0');
    ++length;
  }
  if (length == 0 || octet > 255 || (length > 1 && text[0] == '0')) return false;
  text.remove_prefix(length);
  value = value << 8 | octet;
  return true;
}

std::optional<std::uint32_t> parse_v4(std::string_view text) {
  std::uint32_t value = 0;
  for (int octet = 0; octet < 4; ++octet) {
    if (octet > 0) {
      if (text.empty() || text.front() != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    if (!take_octet(text, value)) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;
  return value;
}

// Reads groups separated by single colons, the last of which may be a dotted quad that counts for
// two. Unset: malformed, or more than eight groups.
struct GroupRun {
  Groups groups{};
  std::size_t count = 0;
};
std::optional<GroupRun> parse_groups(std::string_view text, bool may_end_in_v4) {
  GroupRun run;
  if (text.empty()) return run;
  while (true) {
    const std::size_t end = std::min(text.find(':'), text.size());
    const std::string_view part = text.substr(0, end);
    const bool is_last = end == text.size();
    if (is_last && may_end_in_v4 && part.find('.') != std::string_view::npos) {
      const auto quad = parse_v4(part);
      if (!quad || run.count + 2 > group_count) return std::nullopt;
      run.groups[run.count++] = static_cast<std::uint16_t>(*quad >> 16);
      run.groups[run.count++] = static_cast<std::uint16_t>(*quad & 0xffff);
      return run;
    }
    std::uint16_t group = 0;
    const char* const part_end = part.data() + part.size();
    const auto [stopped, error] = std::from_chars(part.data(), part_end, group, 16);
    if (part.empty() || part.size() > 4 || error != std::errc{} || stopped != part_end ||
        run.count == group_count) {
      return std::nullopt;
    }
    run.groups[run.count++] = group;
    if (is_last) return run;
    text.remove_prefix(end + 1);
  }
}

std::optional<Bits128> parse_v6(std::string_view text) {
  const std::size_t gap = text.find("::");
  Groups groups{};
  if (gap == std::string_view::npos) {
    const auto run = parse_groups(text, true);
    if (!run || run->count != group_count) return std::nullopt;
    groups = run->groups;
  } else {
    const auto head = parse_groups(text.substr(0, gap), false);
    const auto tail = parse_groups(text.substr(gap + 2), true);
    // The gap stands for at least one group (RFC 4291, section 2.2).
    if (!head || !tail || head->count + tail->count >= group_count) return std::nullopt;
    std::copy_n(head->groups.begin(), head->count, groups.begin());
    std::copy_n(tail->groups.begin(), tail->count,
                groups.end() - static_cast<std::ptrdiff_t>(tail->count));
  }
  Bits128 bits;
  for (std::size_t i = 0; i < 4; ++i) {
    bits.high = bits.high << 16 | groups[i];
    bits.low = bits.low << 16 | groups[i + 4];
  }
  return bits;
}

Groups groups_of(Bits128 bits) {
  Groups groups{};
  for (std::size_t i = 0; i < 4; ++i) {
    const unsigned shift = 48 - 16 * static_cast<unsigned>(i);
    groups[i] = static_cast<std::uint16_t>(bits.high >> shift);
    groups[i + 4] = static_cast<std::uint16_t>(bits.low >> shift);
  }
  return groups;
}

// The longest run of two or more zero groups, the first of several (RFC 5952, section 4.2).
struct ZeroRun {
  std::size_t begin = group_count;
  std::size_t length = 0;
};
ZeroRun longest_zero_run(const Groups& groups) {
  ZeroRun best;
  for (std::size_t i = 0; i < group_count; ++i) {
    std::size_t end = i;
    while (end < group_count && groups[end] == 0) ++end;
    if (end - i >= 2 && end - i > best.length) best = {i, end - i};
    i = std::max(i, end);
  }
  return best;
}

template <typename Number>
void append_number(std::string& text, Number number, int base) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  text.append(digits.data(), end);
}

}  // namespace

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& bytes) {
  Bits128 bits;
  for (std::size_t i = 0; i < 8; ++i) {
    bits.high = bits.high << 8 | bytes[i];
    bits.low = bits.low << 8 | bytes[i + 8];
  }
  return v6_border(bits).unmapped();
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const auto address = parse_as_written(text);
  if (!address) return std::nullopt;
  return address->unmapped();
}

std::optional<IpAddress> IpAddress::parse_as_written(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    const auto value = parse_v4(text);
    if (!value) return std::nullopt;
    return v4(*value);
  }
  const auto bits = parse_v6(text);
  if (!bits) return std::nullopt;
  return v6_border(*bits);
}

bool IpAddress::is_mapped() const {
  return is_v6_ && bits_.high == 0 && bits_.low >> 32 == mapped_prefix;
}

IpAddress IpAddress::unmapped() const {
  return is_mapped() ? v4(static_cast<std::uint32_t>(bits_.low)) : *this;
}

std::array<std::uint8_t, 16> IpAddress::v6_bytes() const {
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < 8; ++i) {
    const unsigned shift = 56 - 8 * static_cast<unsigned>(i);
    bytes[i] = static_cast<std::uint8_t>(bits_.high >> shift);
    bytes[i + 8] = static_cast<std::uint8_t>(bits_.low >> shift);
  }
  return bytes;
}

std::string IpAddress::to_string() const {
  std::string text;
  if (is_v4()) {
    for (unsigned octet = 0; octet < 4; ++octet) {
      if (octet > 0) text += '.';
      append_number(text, v4_value() >> (24 - 8 * octet) & 0xff, 10);
    }
    return text;
  }
  const Groups groups = groups_of(bits_);
  const ZeroRun gap = longest_zero_run(groups);
  for (std::size_t i = 0; i < group_count; ++i) {
    if (i == gap.begin) {
      text += "::";
      i += gap.length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    append_number(text, groups[i], 16);
  }
  return text;
}

}  // namespace gatehouse::rules
