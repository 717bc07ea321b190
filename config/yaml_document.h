// One YAML 1.2 document as a tree of values that know where they stand. The only part that sees
// yaml-cpp, of which it uses the events alone: a tree of its own keeps what YAML::Node drops, such
// as repeated keys, and whether a scalar was quoted.
//
// Anchors and aliases work; what an alias stands for keeps the place where it was written. Tags are
// refused, and `<<` is a key like others: no merging. Depth and size are bounded.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"

namespace gatehouse::config {

// By the YAML 1.2 core schema: plain `off` and `12:30` are text, `true` and `3` are not.
enum class YamlKind { null, boolean, integer, real, text, sequence, mapping };

struct YamlNode;
using YamlPointer = std::shared_ptr<const YamlNode>;

// Counted from 1; columns in characters.
struct YamlPosition {
  int line = 1;
  int column = 1;
};

struct YamlEntry {
  std::string key;
  YamlPosition at;  // of the key
  YamlPointer value;
};

struct YamlNode {
  YamlKind kind = YamlKind::null;
  YamlPosition at;
  std::string text;                // of a scalar, without quotes
  std::vector<YamlPointer> items;  // of a sequence
  std::vector<YamlEntry> entries;  // of a mapping, in order, repeated keys included
};

// Null if the text cannot be read as one document; `diagnostics` then says why, as it does of tags
// and other things that leave the rest readable. An empty document is a null node.
[[nodiscard]] YamlPointer parse_yaml(std::string_view text, const std::string& file,
                                     Diagnostics& diagnostics);

// What a plain (unquoted) scalar is.
[[nodiscard]] YamlKind kind_of_plain(std::string_view text) noexcept;

}  // namespace gatehouse::config
