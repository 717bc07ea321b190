#include <algorithm>
#include <string>

#include "rules/ip_address.h"

namespace gatehouse::rules {
namespace {

ParsedRange failed(RangeError error) {
  return {.error = error, .range = {}};
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// A prefix length in decimal without leading zeros. What is a number, but too large to be a prefix
// of anything, comes back as 999.
std::optional<unsigned> parse_prefix(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  if (text.size() > 3) return 999;
  unsigned prefix = 0;
  for (const char digit : text) prefix = prefix * 10 + static_cast<unsigned>(digit - '0');
  return prefix;
}

ParsedRange unless_unspecified(const IpRange& range) {
  const bool is_sentinel = range.first == range.last && range.first.is_unspecified();
  if (is_sentinel) return {.error = RangeError::unspecified, .range = range};
  return {.error = std::nullopt, .range = range};
}

}  // namespace

ParsedRange IpRange::parse(std::string_view text) {
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    auto address = IpAddress::parse_as_written(text.substr(0, slash));
    auto prefix = parse_prefix(text.substr(slash + 1));
    if (!address || !prefix) return failed(RangeError::malformed);
    if (*prefix > address->width()) return failed(RangeError::prefix_too_long);
    if (address->is_mapped() && *prefix >= 96) {
      address = address->unmapped();
      prefix = *prefix - 96;
    }
    // A shorter prefix of a mapped address leaves bits of ::ffff beyond it, so it ends as
    // host_bits.
    const Bits128 host = Bits128::ones(address->width() - *prefix);
    const Bits128 first = address->bits() & ~host;
    const Bits128 last = first | host;
    const auto border = [&](Bits128 bits) {
      return address->is_v4() ? IpAddress::v4(static_cast<std::uint32_t>(bits.low))
                              : IpAddress::v6_border(bits);
    };
    const IpRange block{.first = border(first), .last = border(last)};
    if (first != address->bits()) return {.error = RangeError::host_bits, .range = block};
    return unless_unspecified(block);
  }

  if (const std::size_t hyphen = text.find('-'); hyphen != std::string_view::npos) {
    const auto first = IpAddress::parse(trimmed(text.substr(0, hyphen)));
    const auto last = IpAddress::parse(trimmed(text.substr(hyphen + 1)));
    if (!first || !last) return failed(RangeError::malformed);
    if (first->is_v4() != last->is_v4()) return failed(RangeError::mixed_families);
    if (*first > *last) return failed(RangeError::reversed);
    return unless_unspecified({.first = *first, .last = *last});
  }

  const auto address = IpAddress::parse(text);
  if (!address) return failed(RangeError::malformed);
  return unless_unspecified({.first = *address, .last = *address});
}

std::string IpRange::to_string() const {
  if (first == last) return first.to_string();
  const Bits128 host = first.bits() ^ last.bits();
  const bool is_block = host == Bits128::ones(host.width()) && (first.bits() & host) == Bits128{};
  if (is_block) return first.to_string() + '/' + std::to_string(first.width() - host.width());
  return first.to_string() + '-' + last.to_string();
}

}  // namespace gatehouse::rules
