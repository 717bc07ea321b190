// Reads the files of one load, remembers what was seen of each, and checks that they are text.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"
#include "config/load.h"

namespace gatehouse::config {

struct FileText {
  std::optional<std::string> text;  // without a byte order mark
  std::string failure;              // why it could not be read: the system's words
};

struct FolderNames {
  std::optional<std::vector<std::string>> names;  // of its entries but hidden ones, sorted
  std::string failure;
};

class InputFiles {
 public:
  // `folder`: what paths in diagnostics are seen from. Absolute.
  explicit InputFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] FileText read(const std::filesystem::path& path);
  [[nodiscard]] FolderNames list(const std::filesystem::path& path);
  [[nodiscard]] std::string name_of(const std::filesystem::path& path) const;

  [[nodiscard]] const std::vector<Input>& inputs() const noexcept { return inputs_; }

 private:
  std::filesystem::path folder_;
  std::vector<Input> inputs_;
};

// Paths are relative to the file that names them: `folder` is where that file is.
[[nodiscard]] std::filesystem::path resolve(const std::filesystem::path& folder,
                                            std::string_view written);

// Adds an error if the last line has no newline: the file may have been cut short.
void require_final_newline(std::string_view text, const std::string& file,
                           Diagnostics& diagnostics);

// Adds an error and returns false at the first byte that is not UTF-8, or at a control character,
// which YAML forbids (and at one of which, U+0004, yaml-cpp would stop reading in silence).
[[nodiscard]] bool require_utf8(std::string_view text, const std::string& file,
                                Diagnostics& diagnostics);

// Where the byte at `offset` stands; columns count characters.
[[nodiscard]] Location locate(std::string_view text, std::size_t offset, const std::string& file);

}  // namespace gatehouse::config
