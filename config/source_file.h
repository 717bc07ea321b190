// A YAML file from the disk to its values.
#pragma once

#include <filesystem>

#include "config/reader.h"
#include "config/text_file.h"
#include "config/yaml_document.h"

namespace gatehouse::config {

struct OpenedFile {
  SourceFile file;
  YamlPointer document;  // null: `file.diagnostics` says why
};

[[nodiscard]] OpenedFile open_source_file(const std::filesystem::path& path, InputFiles& files,
                                          Diagnostics& diagnostics);

}  // namespace gatehouse::config
