// A list of Azure's rules, imported, and the rule file loaded that came of it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/cli/import_azure.h"
#include "tests/fuzz/config_folder.h"
#include "tests/fuzz/require.h"

using gatehouse::cli::import_azure;
using gatehouse::cli::Imported;
using gatehouse::fuzz::require;

namespace {

void write_gateway_yaml(const gatehouse::fuzz::ConfigFolder& folder, const std::string& server) {
  folder.write("gateway.yaml",
               "listeners:\n"
               "  - name: public\n"
               "    protocol: mariadb\n"
               "    address: \"127.0.0.1:0\"\n"
               "    servers: [\"" +
                   server +
                   "\"]\n"
                   "    tls: {certificate: gateway.pem, key: gateway.key}\n"
                   "servers:\n"
                   "  - {name: \"" +
                   server +
                   "\", protocol: mariadb, backends: [\"10.1.0.4:3306\"]}\n"
                   "rules: rules/\n");
}

void check_printable(const std::string& text) {
  for (const char c : text)
    require(c != '\n' && c != '\x7F' && (c < 0 || c >= ' '), "it is a line");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const gatehouse::fuzz::ConfigFolder folder;
  static std::string server;
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  Imported imported = import_azure(json, {});
  if (imported.rule_file.empty()) imported = import_azure(json, "orders");
  for (const std::string& remark : imported.remarks) check_printable(remark);
  for (const std::string& error : imported.errors) check_printable(error);
  require(imported.rule_file.empty() != imported.errors.empty(),
          "there is a rule file exactly if there is no error");
  if (imported.rule_file.empty()) return 0;

  if (server != imported.server) {
    server = imported.server;
    write_gateway_yaml(folder, server);
  }
  folder.write("rules/imported.yaml", imported.rule_file);
  const auto loaded = folder.load();
  require(loaded.configuration != nullptr, "the loader takes what was imported");
  const auto& policy = *loaded.configuration->policies.at(0);
  require(policy.rules().size() == imported.rules, "there are as many rules as it says");
  for (const auto& rule : policy.rules()) {
    const auto* range = std::get_if<gatehouse::rules::IpRange>(addresses_of(rule));
    require(range != nullptr && *range != gatehouse::rules::all_v4, "nobody imports everybody");
  }
  return 0;
}
