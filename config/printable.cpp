#include "config/printable.h"

#include <fmt/format.h>

namespace gatehouse::config {

Command find_command(std::string_view text) noexcept {
  const auto byte = [&](std::size_t at) -> std::uint32_t {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
  };
  const auto continues = [&](std::size_t at) { return (byte(at) & 0xC0U) == 0x80; };
  if (text.empty()) return {};
  if (byte(0) < 0x20 || byte(0) == 0x7F) return {.size = 1, .code_point = byte(0)};
  if (byte(0) == 0xC2 && continues(1)) {
    return byte(1) < 0xA0 ? Command{.size = 2, .code_point = byte(1)} : Command{};
  }
  if (byte(0) != 0xE2 || !continues(1) || !continues(2)) return {};
  const std::uint32_t code_point = 0x2000 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU);
  const bool is_one = (code_point >= 0x2028 && code_point <= 0x202E) ||
                      (code_point >= 0x2066 && code_point <= 0x2069);
  return is_one ? Command{.size = 3, .code_point = code_point} : Command{};
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Command command = find_command(text.substr(at));
    if (command.size == 0) {
      out += text[at++];
      continue;
    }
    out += command.size == 1 ? fmt::format("\\x{:02x}", command.code_point)
                             : fmt::format("\\u{:04x}", command.code_point);
    at += command.size;
  }
  return out;
}

}  // namespace gatehouse::config
