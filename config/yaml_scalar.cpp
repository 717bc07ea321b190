// The YAML 1.2 core schema (YAML 1.2.2, section 10.3.2), which yaml-cpp leaves to its callers.
#include <algorithm>
#include <string_view>

#include "config/yaml_document.h"

namespace gatehouse::config {
namespace {

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool consists_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

constexpr std::string_view digits = "0123456789";

std::string_view without_sign(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return text;
}

bool is_integer(std::string_view text) {
  if (text.starts_with("0o")) return consists_of(text.substr(2), "01234567");
  if (text.starts_with("0x")) return consists_of(text.substr(2), "0123456789abcdefABCDEF");
  return consists_of(without_sign(text), digits);
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_real(std::string_view text) {
  text = without_sign(text);
  if (is_one_of(text, {".inf", ".Inf", ".INF"})) return true;
  if (const auto exponent = text.find_first_of("eE"); exponent != std::string_view::npos) {
    if (!consists_of(without_sign(text.substr(exponent + 1)), digits)) return false;
    text = text.substr(0, exponent);
  }
  const auto point = text.find('.');
  if (point == std::string_view::npos) return consists_of(text, digits);
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = text.substr(point + 1);
  if (whole.empty()) return consists_of(fraction, digits);
  return consists_of(whole, digits) && (fraction.empty() || consists_of(fraction, digits));
}

}  // namespace

YamlKind kind_of_plain(std::string_view text) noexcept {
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return YamlKind::null;
  if (is_one_of(text, {"true", "True", "TRUE", "false", "False", "FALSE"})) {
    return YamlKind::boolean;
  }
  if (is_integer(text)) return YamlKind::integer;
  if (is_real(text) || is_one_of(text, {".nan", ".NaN", ".NAN"})) return YamlKind::real;
  return YamlKind::text;
}

}  // namespace gatehouse::config
