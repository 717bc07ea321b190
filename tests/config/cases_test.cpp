// Runs the folders of valid/, invalid/ and warning/, and the examples, through the loader. Each
// holds a gateway.yaml and what it names; expected.txt has the exact diagnostics.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "config/load.h"

namespace gatehouse::config {
namespace {

const std::filesystem::path cases = CASES_FOLDER;

std::vector<std::filesystem::path> folders_with_gateway_yaml(const std::filesystem::path& below) {
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(below)) {
    if (entry.path().filename() == "gateway.yaml") folders.push_back(entry.path().parent_path());
  }
  std::sort(folders.begin(), folders.end());
  REQUIRE_FALSE(folders.empty());
  return folders;
}

std::string text_of(const Diagnostics& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics.all()) text += to_string(diagnostic) + '\n';
  return text;
}

std::string contents_of(const std::filesystem::path& file) {
  std::ostringstream contents;
  contents << std::ifstream(file).rdbuf();
  return contents.str();
}

TEST_CASE("what is valid loads without a word", "[config]") {
  for (const auto& folder : folders_with_gateway_yaml(cases / "valid")) {
    INFO(folder.string());
    const Loaded loaded = load(folder / "gateway.yaml");
    CHECK(text_of(loaded.diagnostics).empty());
    CHECK(loaded.configuration != nullptr);
  }
}

TEST_CASE("the examples load without a word", "[config]") {
  for (const auto& folder : folders_with_gateway_yaml(EXAMPLES_FOLDER)) {
    INFO(folder.string());
    const Loaded loaded = load(folder / "gateway.yaml");
    CHECK(text_of(loaded.diagnostics).empty());
    CHECK(loaded.configuration != nullptr);
  }
}

TEST_CASE("what is invalid is refused with exactly these words", "[config]") {
  for (const auto& folder : folders_with_gateway_yaml(cases / "invalid")) {
    INFO(folder.string());
    const Loaded loaded = load(folder / "gateway.yaml");
    CHECK(text_of(loaded.diagnostics) == contents_of(folder / "expected.txt"));
    CHECK(loaded.diagnostics.has_errors());
    CHECK(loaded.configuration == nullptr);
  }
}

TEST_CASE("a warning does not stop a load", "[config]") {
  for (const auto& folder : folders_with_gateway_yaml(cases / "warning")) {
    INFO(folder.string());
    const Loaded loaded = load(folder / "gateway.yaml");
    CHECK(text_of(loaded.diagnostics) == contents_of(folder / "expected.txt"));
    CHECK_FALSE(loaded.diagnostics.has_errors());
    CHECK(loaded.configuration != nullptr);
  }
}

}  // namespace
}  // namespace gatehouse::config
