// gateway.yaml, beside a rules folder without rules.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/load.h"
#include "tests/fuzz/config_folder.h"
#include "tests/fuzz/require.h"

using gatehouse::fuzz::require;

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const gatehouse::fuzz::ConfigFolder folder;
  folder.write("gateway.yaml", {reinterpret_cast<const char*>(data), size});
  static_cast<void>(gatehouse::config::find_admin_socket(folder.gateway_yaml()));
  const auto loaded = folder.load();
  if (!loaded.configuration) return 0;
  const auto& configuration = *loaded.configuration;
  require(!configuration.listeners.empty(), "a gateway listens somewhere");
  for (const auto& listener : configuration.listeners) {
    require(!listener.addresses.empty() && !listener.servers.empty(),
            "a listener leads from somewhere to somewhere");
    for (const auto& server : listener.servers) {
      require(configuration.find_server(server) != nullptr, "a listener's servers exist");
    }
  }
  require(configuration.policies.size() == configuration.servers.size(),
          "every server has a policy");
  return 0;
}
