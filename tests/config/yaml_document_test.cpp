#include "config/yaml_document.h"

#include <string>

#include <catch2/catch.hpp>

namespace gatehouse::config {
namespace {

YamlPointer parse(std::string_view text) {
  Diagnostics diagnostics;
  auto document = parse_yaml(text, "a.yaml", diagnostics);
  for (const auto& diagnostic : diagnostics.all()) UNSCOPED_INFO(to_string(diagnostic));
  REQUIRE(document);
  CHECK_FALSE(diagnostics.has_errors());
  return document;
}

TEST_CASE("plain scalars are what the YAML 1.2 core schema says", "[config]") {
  for (const auto* text : {"", "~", "null", "Null", "NULL"}) {
    CHECK(kind_of_plain(text) == YamlKind::null);
  }
  for (const auto* text : {"true", "True", "TRUE", "false", "False", "FALSE"}) {
    CHECK(kind_of_plain(text) == YamlKind::boolean);
  }
  for (const auto* text : {"0", "12", "-1", "+7", "007", "0o17", "0xfF"}) {
    CHECK(kind_of_plain(text) == YamlKind::integer);
  }
  for (const auto* text : {"1.2", "-.5", "3.", "1e3", "1.5E-7", "+.inf", ".INF", ".nan"}) {
    CHECK(kind_of_plain(text) == YamlKind::real);
  }
  for (const auto* text : {"off",   "on",  "yes",     "no",         "y",   "nULL",  "tRUE", "1_000",
                           "12:30", "0b1", "1.2.3.4", "2026-12-31", ".",   "-",     "+",    "1e",
                           "e3",    ".e3", "0x",      "0o8",        "1 2", "-.nan", "::1"}) {
    CAPTURE(text);
    CHECK(kind_of_plain(text) == YamlKind::text);
  }
}

TEST_CASE("a quoted or block scalar is text whatever it says", "[config]") {
  const auto document = parse("[\"1\", 'true', \"\"]\n");
  for (const auto& item : document->items) CHECK(item->kind == YamlKind::text);
  CHECK(parse("|\n  12\n")->kind == YamlKind::text);
}

TEST_CASE("values and keys know where they stand", "[config]") {
  const auto document = parse(
      "# æøå\n"
      "first: {key: value}\n"
      "list:\n"
      "  - name: \"øl\" # æ\n"
      "    æ: ø\n");
  REQUIRE(document->entries.size() == 2);
  const auto at = [](YamlPosition position) {
    return std::to_string(position.line) + ':' + std::to_string(position.column);
  };
  CHECK(at(document->at) == "2:1");
  const auto& first = document->entries[0];
  CHECK(at(first.at) == "2:1");
  CHECK(at(first.value->at) == "2:8");
  CHECK(at(first.value->entries[0].value->at) == "2:14");
  const auto& item = *document->entries[1].value->items[0];
  CHECK(at(item.at) == "4:5");
  CHECK(at(item.entries[1].at) == "5:5");
  CHECK(at(item.entries[1].value->at) == "5:8");  // characters, not bytes
}

TEST_CASE("an absent value stands where its key does", "[config]") {
  const auto document = parse("a:\nb: 1\n");
  CHECK(document->entries[0].value->kind == YamlKind::null);
  CHECK(document->entries[0].value->at.line == 1);
}

TEST_CASE("repeated keys are kept, in order", "[config]") {
  const auto document = parse("a: 1\nb: 2\na: 3\n");
  REQUIRE(document->entries.size() == 3);
  CHECK(document->entries[2].key == "a");
  CHECK(document->entries[2].value->text == "3");
}

TEST_CASE("an alias is the value that it stands for", "[config]") {
  const auto document = parse("a: &a [x]\nb: *a\n");
  CHECK(document->entries[0].value == document->entries[1].value);
}

TEST_CASE("an empty document is a null", "[config]") {
  for (const auto* text : {"", "\n", "# nothing\n", "---\n", "---\n...\n"}) {
    CHECK(parse(text)->kind == YamlKind::null);
  }
}

TEST_CASE("no text makes the parser throw or go on for ever", "[config]") {
  std::string aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string previous = "*a" + std::to_string(i - 1);
    aliases += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + previous;
    for (int j = 0; j < 9; ++j) aliases += ", " + previous;
    aliases += "]\n";
  }
  std::string blocks;
  for (int i = 0; i < 2000; ++i) blocks += std::string(static_cast<std::size_t>(i), ' ') + "-\n";
  for (const std::string& text :
       {std::string(100'000, '['), std::string(100'000, '{'), aliases, blocks,
        std::string(100'000, '-'), std::string(100'000, '?'), std::string("%TAG\n"),
        std::string("%YAML 9.9\n---\na\n"), std::string("\"\\xZZ\"\n"), std::string("&a &b c\n"),
        std::string("*a\n"), std::string("? ? ?\n"), std::string("}\n"), std::string("\xff\n")}) {
    Diagnostics diagnostics;
    const auto document = parse_yaml(text, "a.yaml", diagnostics);
    CHECK((document || diagnostics.has_errors()));
  }
}

}  // namespace
}  // namespace gatehouse::config
