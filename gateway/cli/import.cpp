#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <system_error>

#include <fmt/format.h>

#include "config/name_text.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/import_azure.h"

namespace gatehouse::cli {

namespace {

// Hundreds of thousands of rules; more is another file by mistake.
constexpr std::size_t file_size_max = 64U << 20;

struct FileText {
  std::string text;
  std::string failure;  // empty: the text was read
};

FileText read_all(std::istream& stream) {
  FileText file;
  std::array<char, 65536> chunk{};
  while (stream) {
    stream.read(chunk.data(), chunk.size());
    file.text.append(chunk.data(), static_cast<std::size_t>(stream.gcount()));
    if (file.text.size() > file_size_max) {
      return {{}, fmt::format("is larger than {} MiB", file_size_max >> 20)};
    }
  }
  if (stream.bad()) file.failure = "cannot be read: " + std::generic_category().message(errno);
  return file;
}

FileText read_file(const std::filesystem::path& path) {
  if (path == "-") return read_all(std::cin);
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return {{}, "cannot be read: " + std::generic_category().message(errno)};
  return read_all(stream);
}

}  // namespace

int import_azure(const ImportOptions& options) {
  if (options.server && !config::is_server_name(*options.server)) {
    throw UsageError("--server " + *options.server +
                     ": a server's name is 3 to 63 of a-z, 0-9 and -, no - at either end");
  }
  const std::string name = options.file == "-" ? "standard input" : options.file.string();
  const FileText file = read_file(options.file);
  if (!file.failure.empty()) {
    fmt::print(stderr, "{}: error: {}\n", name, file.failure);
    return ExitCode::failed;
  }
  const Imported imported = import_azure(file.text, options.server);
  for (const std::string& error : imported.errors)
    fmt::print(stderr, "{}: error: {}\n", name, error);
  if (!imported.errors.empty()) return ExitCode::failed;
  for (const std::string& remark : imported.remarks) fmt::print(stderr, "{}: {}\n", name, remark);
  fmt::print("{}", imported.rule_file);
  // Half a rule file may be a valid one.
  if (std::fflush(stdout) != 0) throw std::system_error(errno, std::generic_category(), "stdout");
  fmt::print(stderr, "{}: server {}: rules imported: {}, left as comments: {}\n", name,
             imported.server, imported.rules, imported.comments);
  return ExitCode::done;
}

}  // namespace gatehouse::cli
