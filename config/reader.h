// Typed access to a YAML file's values. A reader complains about what it cannot use and goes on,
// so that one run shows every problem.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/diagnostics.h"
#include "config/nearest.h"
#include "config/yaml_document.h"

namespace gatehouse::config {

// The file that values stand in.
struct SourceFile {
  std::string name;              // in diagnostics
  std::filesystem::path folder;  // where relative paths in it start
  Diagnostics& diagnostics;
};

// A value in a file. Both must outlive it.
class Value {
 public:
  // `label`: what complaints call it, normally its key.
  Value(const YamlNode& node, std::string label, const SourceFile& file)
      : node_(&node), label_(std::move(label)), file_(&file) {}

  [[nodiscard]] const YamlNode& node() const { return *node_; }
  [[nodiscard]] const std::string& label() const { return label_; }
  [[nodiscard]] const SourceFile& file() const { return *file_; }
  [[nodiscard]] Location at() const { return at(node_->at); }
  [[nodiscard]] Location at(YamlPosition position) const {
    return {file_->name, position.line, position.column};
  }

  // Complaints about this value; the message is put after its label.
  void error(std::string_view message, std::string hint = {}) const;
  // "expected `what`, not …"
  void wrong_type(std::string_view what, std::string hint = {}) const;

  // Each unset, after a complaint, where the value is of another type.
  // Not empty. `form`: what text it should be, if not just any.
  [[nodiscard]] std::optional<std::string> text(std::string_view form = "text") const;
  [[nodiscard]] std::optional<bool> boolean() const;
  [[nodiscard]] std::optional<std::uint64_t> integer(std::uint64_t least, std::uint64_t most) const;

  // Of a list: its items, under the label of the list. Empty, after a complaint, if it is none or
  // holds less than one.
  [[nodiscard]] std::vector<Value> items() const;
  // The same, but it may be empty.
  [[nodiscard]] std::vector<Value> any_items() const;

 private:
  const YamlNode* node_;
  std::string label_;
  const SourceFile* file_;
};

// `text` between quotes, cut if it is long.
[[nodiscard]] std::string in_quotes(std::string_view text);

// The fields of a mapping. Made by read_fields only, which sees to the keys that nobody asked for.
class Fields {
 public:
  [[nodiscard]] const Value& mapping() const { return mapping_; }
  // False: there is one complaint already, and no field is missing.
  [[nodiscard]] bool is_mapping() const { return is_mapping_; }

  // Unset if there is no such key.
  [[nodiscard]] std::optional<Value> find(std::string_view key);
  // The same, after a complaint.
  [[nodiscard]] std::optional<Value> require(std::string_view key);

  // Puts what `read(value)` makes of the key's value, an optional, into `field`, if there is any.
  template <typename Field, typename Read>
  void read(std::string_view key, Field& field, Read&& read) {
    assign(find(key), field, read);
  }
  template <typename Field, typename Read>
  void require(std::string_view key, Field& field, Read&& read) {
    assign(require(key), field, read);
  }

 private:
  template <std::invocable<Fields&> Body>
  friend void read_fields(const Value& value, Body&& body);

  explicit Fields(const Value& value);
  void refuse_other_keys() const;

  template <typename Field, typename Read>
  static void assign(const std::optional<Value>& value, Field& field, Read& read) {
    if (!value) return;
    auto result = read(*value);
    if (!result) return;
    if constexpr (std::is_same_v<Field, decltype(result)>) {
      field = std::move(result);
    } else {
      field = *std::move(result);
    }
  }

  Value mapping_;
  bool is_mapping_;
  std::vector<std::string> known_;  // every key asked for
};

// Calls `body(fields)` and then complains about every key that `body` did not ask for: so it must
// ask for each key whatever the others say. A value that is no mapping has no fields, after one
// complaint.
template <std::invocable<Fields&> Body>
void read_fields(const Value& value, Body&& body) {
  Fields fields(value);
  body(fields);
  fields.refuse_other_keys();
}

inline std::optional<std::string> read_text(const Value& value) {
  return value.text();
}
inline std::optional<bool> read_boolean(const Value& value) {
  return value.boolean();
}

// Readers made to measure.
template <std::unsigned_integral Number>
auto integer_between(std::uint64_t least, Number most) {
  return [=](const Value& value) -> std::optional<Number> {
    if (const auto number = value.integer(least, most)) return static_cast<Number>(*number);
    return std::nullopt;
  };
}

template <typename Choice>
auto one_of(std::initializer_list<std::pair<std::string_view, Choice>> choices) {
  return [choices = std::vector(choices)](const Value& value) -> std::optional<Choice> {
    std::vector<std::string_view> known;
    known.reserve(choices.size());
    for (const auto& [name, choice] : choices) known.push_back(name);
    // Of a number or a boolean, too, it is more useful to say that it is none of these.
    const std::string& word = value.node().text;
    const auto named = std::find(known.begin(), known.end(), word);
    if (named == known.end() && !word.empty()) {
      value.error("unknown value " + in_quotes(word), suggest(word, known));
      return std::nullopt;
    }
    if (!value.text()) return std::nullopt;
    return choices[static_cast<std::size_t>(named - known.begin())].second;
  };
}

// A list of what `read` reads: those items that it could make something of.
template <typename Read>
auto list_of(Read read) {
  return [read](const Value& value) {
    std::vector<typename std::invoke_result_t<Read, const Value&>::value_type> results;
    for (const Value& item : value.items()) {
      if (auto result = read(item)) results.push_back(*std::move(result));
    }
    return std::optional(std::move(results));
  };
}

}  // namespace gatehouse::config
