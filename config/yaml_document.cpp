#include "config/yaml_document.h"

#include <algorithm>
#include <cstddef>
#include <istream>
#include <map>
#include <optional>
#include <streambuf>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace gatehouse::config {
namespace {

// Values of one document with every alias written out. Far above any real file; it stops a few
// lines of nested aliases from standing for billions of values.
constexpr std::size_t values_max = 10'000'000;

// Lets the parser read the text in place.
class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    // The get area is only read from; std::streambuf has no const form of it.
    char* begin = const_cast<char*>(text.data());
    setg(begin, begin, begin + text.size());
  }
};

// yaml-cpp counts bytes and from 0; editors count characters and from 1.
class Positions {
 public:
  explicit Positions(std::string_view text) : text_(text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') starts_.push_back(i + 1);
    }
  }

  [[nodiscard]] YamlPosition of(const YAML::Mark& mark) const {
    if (mark.is_null()) return {};
    const auto line = std::min(static_cast<std::size_t>(mark.line), starts_.size() - 1);
    const std::string_view before =
        text_.substr(starts_[line], static_cast<std::size_t>(mark.column));
    const auto characters = std::count_if(before.begin(), before.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    });
    return {static_cast<int>(line) + 1, static_cast<int>(characters) + 1};
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_{0};
};

// Builds the tree of one document from the parser's events.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const Positions& positions, const std::string& file, Diagnostics& diagnostics)
      : positions_(positions), file_(file), diagnostics_(diagnostics) {}

  // Unset until a document has been seen.
  [[nodiscard]] const std::optional<YAML::Mark>& start() const { return start_; }
  [[nodiscard]] const YamlPointer& root() const { return root_; }

  void OnDocumentStart(const YAML::Mark& mark) override { start_ = mark; }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Open node = start_node(YamlKind::null, mark, anchor);
    // An absent value has no place of its own (the mark is that of what follows): its key's serves.
    if (!open_.empty() && open_.back().key) node.node->at = open_.back().key_at;
    add(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) {
      error(mark, "an alias within the value that it stands for");
      return add(start_node(YamlKind::null, mark, 0));
    }
    if (expects_key()) error(mark, "an alias cannot be a key");
    add(known->second);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    // "?" is the parser's word for an unquoted scalar, "!" for any other.
    Open scalar = start_node(tag == "?" ? kind_of_plain(value) : YamlKind::text, mark, anchor);
    scalar.node->text = value;
    add(std::move(scalar));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    refuse_tag(mark, tag);
    open_.push_back(start_node(YamlKind::sequence, mark, anchor));
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    refuse_tag(mark, tag);
    open_.push_back(start_node(YamlKind::mapping, mark, anchor));
  }
  void OnMapEnd() override { close(); }

 private:
  // A finished value, and how many it counts for with its aliases written out.
  struct Finished {
    YamlPointer node;
    std::size_t values = 1;
  };
  // A value that is being built.
  struct Open {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor = 0;
    std::size_t values = 1;
    std::optional<std::string> key;  // of a mapping: set between a key and its value
    YamlPosition key_at;
    bool drops_value = false;  // the key was none
  };

  [[nodiscard]] Open start_node(YamlKind kind, const YAML::Mark& mark,
                                YAML::anchor_t anchor) const {
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->at = positions_.of(mark);
    Open open;
    open.node = std::move(node);
    open.anchor = anchor;
    return open;
  }

  [[nodiscard]] bool expects_key() const {
    return !open_.empty() && open_.back().node->kind == YamlKind::mapping && !open_.back().key;
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done));
  }

  void add(Open done) {
    const Finished finished{std::move(done.node), done.values};
    if (done.anchor != 0) anchors_[done.anchor] = finished;
    add(finished);
  }

  void add(const Finished& finished) {
    if (open_.empty()) {
      root_ = finished.node;
      return;
    }
    Open& parent = open_.back();
    parent.values += finished.values;
    if (parent.values > values_max) {
      throw YAML::ParserException(YAML::Mark::null_mark(), "too many values");
    }
    if (parent.node->kind == YamlKind::sequence) {
      parent.node->items.push_back(finished.node);
    } else if (!parent.key) {
      take_key(parent, *finished.node);
    } else {
      if (!parent.drops_value) {
        parent.node->entries.push_back({*parent.key, parent.key_at, finished.node});
      }
      parent.key.reset();
    }
  }

  void take_key(Open& mapping, const YamlNode& node) {
    const bool is_word = node.kind != YamlKind::null && node.kind != YamlKind::sequence &&
                         node.kind != YamlKind::mapping;
    if (!is_word) error(node.at, "a key must be a word");
    mapping.drops_value = !is_word;
    mapping.key = node.text;
    mapping.key_at = node.at;
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    error(mark, "tags are not used here", "quote what is text, leave the rest unquoted");
  }

  void error(const YAML::Mark& mark, std::string message, std::string hint = {}) {
    error(positions_.of(mark), std::move(message), std::move(hint));
  }
  void error(YamlPosition at, std::string message, std::string hint = {}) {
    diagnostics_.error({file_, at.line, at.column}, std::move(message), std::move(hint));
  }

  const Positions& positions_;
  const std::string& file_;
  Diagnostics& diagnostics_;
  std::optional<YAML::Mark> start_;
  YamlPointer root_;
  std::vector<Open> open_;  // outermost first
  std::map<YAML::anchor_t, Finished> anchors_;
};

// What to look for where the parser's words do not say it.
std::string hint_for(std::string_view problem) {
  using namespace YAML::ErrorMsg;
  if (problem == END_OF_MAP || problem == END_OF_SEQ) return "check the indentation of this line";
  if (problem == END_OF_MAP_FLOW) return "a { before this is not closed, or a comma is missing";
  if (problem == END_OF_SEQ_FLOW) return "a [ before this is not closed, or a comma is missing";
  if (problem == MAP_VALUE) return "check the indentation, or quote text that contains ': '";
  if (problem == TAB_IN_INDENTATION) return "indent with blanks, not tabs";
  if (problem == EOF_IN_SCALAR) return "a quotation mark before this is not closed";
  return {};
}

}  // namespace

YamlPointer parse_yaml(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
  const Positions positions(text);
  const auto error = [&](const YAML::Mark& mark, std::string message, std::string hint = {}) {
    const YamlPosition at = positions.of(mark);
    diagnostics.error({file, at.line, at.column}, std::move(message), std::move(hint));
  };
  try {
    TextBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    TreeBuilder builder(positions, file, diagnostics);
    parser.HandleNextDocument(builder);
    TreeBuilder surplus(positions, file, diagnostics);
    parser.HandleNextDocument(surplus);
    if (const auto& second = surplus.start(); second.has_value()) {
      error(*second, "a second document starts here", "a file holds one document");
      return nullptr;
    }
    return builder.root() ? builder.root() : std::make_shared<const YamlNode>();
  } catch (const YAML::DeepRecursion& problem) {
    error(problem.mark, "nested too deeply");
  } catch (const YAML::Exception& problem) {
    error(problem.mark, fmt::format("not valid YAML: {}", problem.msg), hint_for(problem.msg));
  }
  return nullptr;
}

}  // namespace gatehouse::config
