// One file of the state folder: what the gateway must not forget when it is killed. It is replaced
// as a whole, and what cannot be read is never taken for nothing.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "config/configuration.h"

namespace gatehouse {

// On the control thread. Writing waits for the disk.
class StateFile {
 public:
  // `size_max`: a larger one is not one of ours.
  StateFile(const std::filesystem::path& folder, const std::string& name, std::size_t size_max);

  struct Found {
    std::optional<std::string> text;  // unset: there is none yet, or it cannot be read
    std::string failure;              // not empty: why it cannot be read, in words
    std::string name;                 // for diagnostics
  };
  [[nodiscard]] Found read(const config::Configuration& configuration) const;

  // Beside the file, on disk. Empty: done. Else why not.
  [[nodiscard]] std::string prepare(std::string_view text) const;
  // What was prepared takes the file's place. After a failure it is not certain which of the two a
  // restart would find.
  [[nodiscard]] std::string put_in_place() const;

 private:
  std::filesystem::path folder_;
  std::filesystem::path path_;
  std::filesystem::path new_path_;
  std::size_t size_max_;
};

}  // namespace gatehouse
