#include "config/address_list.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "config/range_problem.h"
#include "config/text_file.h"

namespace gatehouse::config {
namespace {

// A list with as many errors is the wrong file; its reader needs no more of them.
constexpr std::size_t errors_shown_max = 20;

// The next decimal number of at most three digits, without leading zeros; above 999 if there is
// none. Moves `at` behind it.
std::uint32_t take_number(const char*& at, const char* end) {
  constexpr std::uint32_t none = 1000;
  const char* const start = at;
  std::uint32_t number = 0;
  while (at != end && *at >= '0' && *at <= '9' && at - start < 3) {
    number = number * 10 + static_cast<std::uint32_t>(*at++ - '0');
  }
  const bool has_leading_zero = at - start > 1 && *start == '0';
  return at == start || has_leading_zero ? none : number;
}

// The common line, an IPv4 address or block that is right: a list may have a million of them.
// Everything else, wrong ones included, is left to IpRange::parse, the one judge of what is right.
std::optional<rules::V4Range> parse_plain_v4(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  std::uint32_t address = 0;
  for (int octet = 0; octet < 4; ++octet) {
    if (octet > 0) {
      if (at == end || *at != '.') return std::nullopt;
      ++at;
    }
    const std::uint32_t number = take_number(at, end);
    if (number > 255) return std::nullopt;
    address = address << 8 | number;
  }
  if (address == 0) return std::nullopt;
  if (at == end) return rules::V4Range{address, address};
  if (*at++ != '/') return std::nullopt;
  const std::uint32_t prefix = take_number(at, end);
  if (prefix == 0 || prefix > 32 || at != end) return std::nullopt;
  const std::uint32_t host_bits = prefix == 32 ? 0 : ~std::uint32_t{0} >> prefix;
  if ((address & host_bits) != 0) return std::nullopt;
  return rules::V4Range{address, address | host_bits};
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  const auto first = line.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

class ListReader {
 public:
  ListReader(std::string_view text, const std::string& file, Diagnostics& diagnostics)
      : text_(text), file_(file), diagnostics_(diagnostics) {
    // One allocation of the right size: growing would need three times the memory for a moment.
    v4_.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1);
  }

  rules::RangeSet read() {
    for (std::size_t start = 0; start < text_.size();) {
      const auto end = std::min(text_.find('\n', start), text_.size());
      const std::string_view line = text_.substr(start, end - start);
      add_line(line);
      start = end + 1;
    }
    if (errors_ > errors_shown_max) {
      diagnostics_.error(first_unshown_, fmt::format("{} more errors from here on in this list",
                                                     errors_ - errors_shown_max));
    }
    return {std::move(v4_), std::move(v6_)};
  }

 private:
  void add_line(std::string_view line) {
    // Most lines are nothing but an entry: they are spared the search for blanks and comments.
    if (const auto range = parse_plain_v4(line)) return v4_.push_back(*range);
    const std::string_view entry = trimmed(line.substr(0, line.find('#')));
    if (!entry.empty()) add(entry);
  }

  void add(std::string_view entry) {
    if (const auto range = parse_plain_v4(entry)) return v4_.push_back(*range);
    const auto parsed = rules::IpRange::parse(entry);
    if (parsed.error) return refuse(entry, parsed);
    const auto& [first, last] = parsed.range;
    if (first.is_v4()) {
      v4_.push_back({first.v4_value(), last.v4_value()});
    } else {
      v6_.push_back({first.bits(), last.bits()});
    }
  }

  void refuse(std::string_view entry, const rules::ParsedRange& parsed) {
    ++errors_;
    if (errors_ > errors_shown_max + 1) return;
    const auto offset = static_cast<std::size_t>(entry.data() - text_.data());
    Location at = locate(text_, offset, file_);
    if (errors_ > errors_shown_max) {
      first_unshown_ = std::move(at);
      return;
    }
    auto [message, hint] = describe_problem(parsed, entry);
    diagnostics_.error(std::move(at), std::move(message), std::move(hint));
  }

  std::string_view text_;
  const std::string& file_;
  Diagnostics& diagnostics_;
  std::vector<rules::V4Range> v4_;
  std::vector<rules::V6Range> v6_;
  std::size_t errors_ = 0;
  Location first_unshown_;
};

}  // namespace

rules::RangeSet read_address_list(std::string_view text, const std::string& file,
                                  Diagnostics& diagnostics) {
  return ListReader(text, file, diagnostics).read();
}

}  // namespace gatehouse::config
