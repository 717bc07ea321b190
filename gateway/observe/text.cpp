#include "gateway/observe/text.h"

#include <cstdint>

#include <fmt/compile.h>

#include "config/printable.h"

namespace gatehouse {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool is_continuation(char byte) {
  return (static_cast<std::uint8_t>(byte) & 0xC0U) == 0x80U;
}

// The length of the character that `text` starts with, 0 if it starts with none: RFC 3629,
// section 4. Over-long forms, surrogates and what lies beyond U+10FFFF are none.
std::size_t character_length(std::string_view text) {
  const auto byte_at = [text](std::size_t index) { return static_cast<std::uint8_t>(text[index]); };
  const std::uint8_t lead = byte_at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t index = 1; index < length; ++index) {
    if (!is_continuation(text[index])) return 0;
  }
  const std::uint8_t second = byte_at(1);
  if (lead == 0xE0 && second < 0xA0) return 0;
  if (lead == 0xED && second > 0x9F) return 0;
  if (lead == 0xF0 && second < 0x90) return 0;
  if (lead == 0xF4 && second > 0x8F) return 0;
  return length;
}

}  // namespace

std::string rfc3339(std::chrono::sys_seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format(FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z"),
                     static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::string rfc3339_microseconds(std::chrono::system_clock::time_point time) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = std::chrono::floor<std::chrono::microseconds>(time - second);
  std::string text = rfc3339(second);
  text.pop_back();
  return fmt::format(FMT_COMPILE("{}.{:06}Z"), text, rest.count());
}

std::string valid_utf8(std::string_view text, std::size_t max_bytes) {
  std::string valid;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const std::string_view character = length > 0 ? text.substr(0, length) : replacement;
    if (valid.size() + character.size() > max_bytes) break;
    valid += character;
    text.remove_prefix(length > 0 ? length : 1);
  }
  return valid;
}

std::string printable_json(std::string_view json) {
  std::string escaped;
  escaped.reserve(json.size() + 1);
  for (std::size_t at = 0; at < json.size();) {
    const config::Command command = config::find_command(json.substr(at));
    if (command.size == 0) {
      escaped += json[at++];
    } else {
      escaped += fmt::format("\\u{:04x}", command.code_point);
      at += command.size;
    }
  }
  return escaped;
}

}  // namespace gatehouse
