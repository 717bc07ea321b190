#include "tests/config/temporary_folder.h"

#include <fstream>
#include <string>
#include <system_error>

#include <catch2/catch.hpp>
#include <stdlib.h>

namespace gatehouse::config::test {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "gatehouse-config-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code left_behind;
  std::filesystem::remove_all(path_, left_behind);
}

std::filesystem::path TemporaryFolder::write(const std::filesystem::path& file,
                                             std::string_view text) const {
  const auto path = path_ / file;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream stream(path, std::ios::binary);
  stream << text;
  stream.close();
  REQUIRE(stream.good());
  return path;
}

}  // namespace gatehouse::config::test
