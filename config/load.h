// From gateway.yaml and the files it names to a Configuration, or to everything that is wrong.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/configuration.h"
#include "config/diagnostics.h"

namespace gatehouse::config {

// A file or folder that the outcome depends on, present or not, as it stood when it was read.
struct Input {
  std::filesystem::path path;
  bool is_folder = false;
  std::size_t content =
      0;  // a hash of the bytes (of the names, for a folder); 0: could not be read
};

struct Loaded {
  // Null exactly if `diagnostics` has errors: a configuration is taken whole or not at all.
  std::shared_ptr<const Configuration> configuration;
  Diagnostics diagnostics;  // sorted
  // gateway.yaml, the rules folder, every rule file and list. Files that the gateway reads itself
  // (certificates, keys) are not among them.
  std::vector<Input> inputs;
};

// Reads files, nothing else; throws nothing but std::bad_alloc.
[[nodiscard]] Loaded load(const std::filesystem::path& gateway_yaml);

// What a client of a running gateway needs: the admin socket's path, even from a file that does not
// load. Unset: the file cannot be read as YAML or names no socket.
[[nodiscard]] std::optional<std::filesystem::path> find_admin_socket(
    const std::filesystem::path& gateway_yaml);

}  // namespace gatehouse::config
