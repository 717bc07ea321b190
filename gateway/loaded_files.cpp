#include "gateway/loaded_files.h"

#include <new>
#include <utility>

#include "config/text_file.h"
#include "gateway/net/tls_memory.h"

namespace gatehouse {

namespace {

// Files that change while they are loaded are loaded again, so often.
constexpr int loads_at_most = 5;

LoadedFiles load_once(const std::filesystem::path& gateway_yaml, TicketKeys& tickets) {
  auto loaded = config::load(gateway_yaml);
  LoadedFiles result{.configuration = std::move(loaded.configuration),
                     .server_tls = {},
                     .listener_tls = {},
                     .diagnostics = std::move(loaded.diagnostics),
                     .inputs = std::move(loaded.inputs)};
  if (!result.configuration) return result;
  config::InputFiles files(result.configuration->folder);
  for (const config::Server& server : result.configuration->servers) {
    const bool has_tls = server.tls.mode != config::BackendTlsMode::off;
    result.server_tls.push_back(has_tls ? BackendTls::load(server, files, result.diagnostics)
                                        : nullptr);
  }
  for (const config::Listener& listener : result.configuration->listeners) {
    result.listener_tls.push_back(ListenerTls::load(listener, tickets, files, result.diagnostics));
  }
  result.inputs.insert(result.inputs.end(), files.inputs().begin(), files.inputs().end());
  if (tls_lacked_memory()) throw std::bad_alloc();
  return result;
}

}  // namespace

LoadedFiles load_files(const std::filesystem::path& gateway_yaml, TicketKeys& tickets) {
  static_cast<void>(tls_lacked_memory());  // in this thread's past
  LoadedFiles files = load_once(gateway_yaml, tickets);
  for (int loads = 1; loads < loads_at_most && have_changed(files.inputs); ++loads) {
    files = load_once(gateway_yaml, tickets);
  }
  return files;
}

bool have_changed(const std::vector<config::Input>& inputs) {
  config::InputFiles files({});
  for (const config::Input& input : inputs) {
    if (input.is_folder) {
      static_cast<void>(files.list(input.path));
    } else {
      static_cast<void>(files.read(input.path));
    }
    if (files.inputs().back().content != input.content) return true;
  }
  return false;
}

}  // namespace gatehouse
