#include "config/load.h"

#include <system_error>
#include <utility>

#include "config/gateway_file.h"
#include "config/rule_files.h"
#include "config/source_file.h"
#include "config/text_file.h"

namespace gatehouse::config {
namespace {

// Not through symbolic links: what a link leads to may be swapped while the gateway runs.
std::filesystem::path whole_path(const std::filesystem::path& path) {
  std::error_code no_working_directory;
  auto whole = std::filesystem::absolute(path, no_working_directory);
  return (no_working_directory ? path : whole).lexically_normal();
}

std::shared_ptr<const Configuration> read_all(const std::filesystem::path& gateway_yaml,
                                              InputFiles& files, Diagnostics& diagnostics) {
  const auto configuration = std::make_shared<Configuration>();
  configuration->file = gateway_yaml;
  configuration->folder = gateway_yaml.parent_path();
  const auto source = open_source_file(gateway_yaml, files, diagnostics);
  if (!source.document) return nullptr;
  const auto rules_folder =
      read_gateway_file(Value(*source.document, "the file", source.file), *configuration);
  RuleBook book(configuration->servers, configuration->networks, files);
  if (rules_folder) read_rules_folder(*rules_folder, files, diagnostics, book);
  if (diagnostics.has_errors()) return nullptr;
  configuration->policies = book.compile();
  return configuration;
}

// The value of the first `key`, null if `node` has none.
YamlPointer child(const YamlNode& node, std::string_view key) {
  for (const auto& entry : node.entries) {
    if (entry.key == key) return entry.value;
  }
  return nullptr;
}

}  // namespace

Loaded load(const std::filesystem::path& gateway_yaml) {
  const auto path = whole_path(gateway_yaml);
  InputFiles files(path.parent_path());
  Loaded loaded;
  loaded.configuration = read_all(path, files, loaded.diagnostics);
  loaded.diagnostics.sort();
  loaded.inputs = files.inputs();
  return loaded;
}

std::optional<std::filesystem::path> find_admin_socket(const std::filesystem::path& gateway_yaml) {
  const auto path = whole_path(gateway_yaml);
  InputFiles files(path.parent_path());
  Diagnostics ignored;
  const auto source = open_source_file(path, files, ignored);
  const auto admin = source.document ? child(*source.document, "admin") : nullptr;
  const auto socket = admin ? child(*admin, "socket") : nullptr;
  if (!socket || socket->kind != YamlKind::text || socket->text.empty()) return std::nullopt;
  return resolve(path.parent_path(), socket->text);
}

}  // namespace gatehouse::config
