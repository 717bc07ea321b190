#include "config/reader.h"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

namespace gatehouse::config {
namespace {

std::string_view name_of(YamlKind kind) {
  switch (kind) {
    case YamlKind::null:
      return "nothing";
    case YamlKind::boolean:
      return "a boolean";
    case YamlKind::integer:
    case YamlKind::real:
      return "a number";
    case YamlKind::text:
      return "text";
    case YamlKind::sequence:
      return "a list";
    case YamlKind::mapping:
      return "a mapping";
  }
  return "something else";
}

}  // namespace

std::string in_quotes(std::string_view text) {
  constexpr std::size_t shown_max = 80;
  if (text.size() <= shown_max) return fmt::format("'{}'", text);
  // Not in the middle of a character.
  std::size_t end = shown_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return fmt::format("'{}…'", text.substr(0, end));
}

void Value::error(std::string_view message, std::string hint) const {
  file_->diagnostics.error(at(), fmt::format("{}: {}", label_, message), std::move(hint));
}

void Value::wrong_type(std::string_view what, std::string hint) const {
  error(fmt::format("expected {}, not {}", what, name_of(node_->kind)), std::move(hint));
}

std::optional<std::string> Value::text(std::string_view form) const {
  switch (node_->kind) {
    case YamlKind::text:
      if (!node_->text.empty()) return node_->text;
      error("must not be empty");
      return std::nullopt;
    case YamlKind::boolean:
    case YamlKind::integer:
    case YamlKind::real:
      wrong_type(form,
                 form == "text" ? fmt::format("write it in quotes: \"{}\"", node_->text) : "");
      return std::nullopt;
    case YamlKind::null:
    case YamlKind::sequence:
    case YamlKind::mapping:
      wrong_type(form);
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<bool> Value::boolean() const {
  if (node_->kind == YamlKind::boolean) return node_->text[0] == 't' || node_->text[0] == 'T';
  const bool yes = node_->text == "yes" || node_->text == "on";
  const bool no = node_->text == "no" || node_->text == "off";
  wrong_type("true or false", yes ? "write true" : no ? "write false" : "");
  return std::nullopt;
}

std::optional<std::uint64_t> Value::integer(std::uint64_t least, std::uint64_t most) const {
  if (node_->kind != YamlKind::integer) {
    const bool is_quoted =
        node_->kind == YamlKind::text && kind_of_plain(node_->text) == YamlKind::integer;
    wrong_type("a whole number", is_quoted ? "write it without quotes" : "");
    return std::nullopt;
  }
  std::string_view digits = node_->text;
  int base = 10;
  if (digits.starts_with("0x") || digits.starts_with("0o")) {
    base = digits[1] == 'x' ? 16 : 8;
    digits.remove_prefix(2);
  } else if (digits.starts_with('+')) {
    digits.remove_prefix(1);
  }
  std::uint64_t number = 0;
  // A minus sign or a number beyond 64 bits fails here, and both are out of bounds.
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (result.ec == std::errc() && result.ptr == digits.data() + digits.size() && number >= least &&
      number <= most) {
    return number;
  }
  error(least == most ? fmt::format("{} is not {}", node_->text, least)
                      : fmt::format("{} is not between {} and {}", node_->text, least, most));
  return std::nullopt;
}

std::vector<Value> Value::any_items() const {
  std::vector<Value> values;
  if (node_->kind != YamlKind::sequence) {
    wrong_type("a list",
               node_->kind == YamlKind::null ? "write [] for none, or leave the key out" : "");
    return values;
  }
  values.reserve(node_->items.size());
  for (const auto& item : node_->items) values.emplace_back(*item, label_, *file_);
  return values;
}

std::vector<Value> Value::items() const {
  if (node_->kind == YamlKind::null) {
    wrong_type("a list");
    return {};
  }
  auto values = any_items();
  if (values.empty() && node_->kind == YamlKind::sequence) error("must not be empty");
  return values;
}

Fields::Fields(const Value& value)
    : mapping_(value), is_mapping_(value.node().kind == YamlKind::mapping) {
  if (!is_mapping_) value.wrong_type("a mapping");
}

std::optional<Value> Fields::find(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  for (const auto& entry : mapping_.node().entries) {
    if (entry.key == key) return Value(*entry.value, std::string(key), mapping_.file());
  }
  return std::nullopt;
}

std::optional<Value> Fields::require(std::string_view key) {
  auto value = find(key);
  if (!value && is_mapping_) {
    mapping_.file().diagnostics.error(mapping_.at(), fmt::format("missing key '{}'", key));
  }
  return value;
}

void Fields::refuse_other_keys() const {
  const std::vector<std::string_view> known(known_.begin(), known_.end());
  Diagnostics& diagnostics = mapping_.file().diagnostics;
  std::map<std::string_view, int> first_lines;
  for (const auto& entry : mapping_.node().entries) {
    const auto [first, is_new] = first_lines.try_emplace(entry.key, entry.at.line);
    if (!is_new) {
      diagnostics.error(mapping_.at(entry.at), "repeated key " + in_quotes(entry.key),
                        fmt::format("first on line {}", first->second));
    } else if (std::find(known.begin(), known.end(), entry.key) == known.end()) {
      diagnostics.error(mapping_.at(entry.at), "unknown key " + in_quotes(entry.key),
                        suggest(entry.key, known));
    }
  }
}

}  // namespace gatehouse::config
