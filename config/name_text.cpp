#include "config/name_text.h"

#include <algorithm>
#include <initializer_list>

namespace gatehouse::config {
namespace {

constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view digits = "0123456789";

bool consists_of(std::string_view text, std::initializer_list<std::string_view> characters) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return std::any_of(characters.begin(), characters.end(),
                       [c](std::string_view set) { return set.find(c) != std::string_view::npos; });
  });
}

}  // namespace

bool is_name(std::string_view text) noexcept {
  constexpr std::size_t length_max = 128;
  return !text.empty() && text.size() <= length_max &&
         consists_of(text, {lower, upper, digits, "_-"});
}

bool is_server_name(std::string_view text) noexcept {
  return text.size() >= 3 && text.size() <= 63 && consists_of(text, {lower, digits, "-"}) &&
         !text.starts_with('-') && !text.ends_with('-');
}

}  // namespace gatehouse::config
