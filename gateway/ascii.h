// Names of which only the letters A to Z have two cases: servers, variables, key words. Not
// std::tolower, which asks the locale.
#pragma once

#include <algorithm>
#include <string_view>

namespace gatehouse {

[[nodiscard]] constexpr char to_lower_case(char character) noexcept {
  const bool capital = character >= 'A' && character <= 'Z';
  return capital ? static_cast<char>(character - 'A' + 'a') : character;
}

// REQUIRES: no capital in `lower_case`.
[[nodiscard]] constexpr bool equals_ignoring_case(std::string_view text,
                                                  std::string_view lower_case) noexcept {
  return std::ranges::equal(text, lower_case,
                            [](char left, char right) { return to_lower_case(left) == right; });
}

}  // namespace gatehouse
