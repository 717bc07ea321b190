// A folder for the files of one test, gone with it.
#pragma once

#include <filesystem>
#include <string_view>

namespace gatehouse::config::test {

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // Makes the folders in between too. Returns the file's path.
  std::filesystem::path write(const std::filesystem::path& file, std::string_view text) const;

 private:
  std::filesystem::path path_;
};

}  // namespace gatehouse::config::test
