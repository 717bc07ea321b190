// What the files on disk say: the part of a load that takes long. It touches nothing that others
// use, so a thread of its own may do it.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "config/load.h"
#include "gateway/net/tls_context.h"
#include "gateway/net/tls_tickets.h"

namespace gatehouse {

struct LoadedFiles {
  // Null if there are errors in what it would be made of.
  std::shared_ptr<const config::Configuration> configuration;
  std::vector<std::shared_ptr<BackendTls>> server_tls;  // parallel to its servers; null: mode off
  std::vector<std::shared_ptr<const ListenerTls>> listener_tls;  // parallel to its listeners
  config::Diagnostics diagnostics;                               // of all of that
  std::vector<config::Input> inputs;                             // every file that was looked at
};

// gateway.yaml and everything it names, TLS files included, as they stood at one moment: whatever
// changes meanwhile is loaded again. `tickets` must outlive the result. Any thread. Throws
// std::bad_alloc.
[[nodiscard]] LoadedFiles load_files(const std::filesystem::path& gateway_yaml,
                                     TicketKeys& tickets);

// Whether any of the files reads differently now.
[[nodiscard]] bool have_changed(const std::vector<config::Input>& inputs);

}  // namespace gatehouse
