#include "config/source_file.h"

#include <utility>

namespace gatehouse::config {

OpenedFile open_source_file(const std::filesystem::path& path, InputFiles& files,
                            Diagnostics& diagnostics) {
  OpenedFile opened{{files.name_of(path), path.parent_path(), diagnostics}, nullptr};
  const std::string& name = opened.file.name;
  const FileText read = files.read(path);
  if (!read.text) {
    diagnostics.error({name, 1, 1}, "cannot read the file: " + read.failure);
    return opened;
  }
  if (!require_utf8(*read.text, name, diagnostics)) return opened;
  require_final_newline(*read.text, name, diagnostics);
  opened.document = parse_yaml(*read.text, name, diagnostics);
  return opened;
}

}  // namespace gatehouse::config
