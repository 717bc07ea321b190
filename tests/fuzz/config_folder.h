// A configuration on disk, since config::load takes a path. One folder for the whole process, taken
// away at its end (not after a crash).
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include <unistd.h>

#include "config/load.h"
#include "tests/fuzz/diagnostics_check.h"
#include "tests/fuzz/require.h"

namespace gatehouse::fuzz {

class ConfigFolder {
 public:
  ConfigFolder()
      : folder_(std::filesystem::temp_directory_path() /
                ("gatehouse-fuzz-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_ / "rules");
  }
  ~ConfigFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  ConfigFolder(const ConfigFolder&) = delete;
  ConfigFolder& operator=(const ConfigFolder&) = delete;

  void write(const std::filesystem::path& name, std::string_view text) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    // A new file each time: some file systems wait for the disk when one is overwritten.
    std::filesystem::remove(folder_ / name);
    std::ofstream file(folder_ / name, std::ios::binary);
    file << text;
    require(file.good(), "the fuzzer's own files can be written");
  }

  // Loads gateway.yaml and checks what holds of every outcome.
  [[nodiscard]] config::Loaded load() const {
    config::Loaded loaded = config::load(folder_ / "gateway.yaml");
    check(loaded.diagnostics);
    require((loaded.configuration == nullptr) == loaded.diagnostics.has_errors(),
            "there is a configuration exactly if there is no error");
    return loaded;
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return folder_; }
  [[nodiscard]] std::filesystem::path gateway_yaml() const { return folder_ / "gateway.yaml"; }

 private:
  std::filesystem::path folder_;
};

}  // namespace gatehouse::fuzz
