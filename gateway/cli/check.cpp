#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "gateway/cassandra/probe.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/output.h"
#include "gateway/mariadb/probe.h"
#include "gateway/observe/audit_json.h"
#include "gateway/snapshot.h"
#include "rules/lint.h"

namespace gatehouse::cli {

namespace {

namespace json = boost::json;

struct BackendResult {
  std::string server;
  std::string backend;
  mariadb::Probe probe;
};

// Of listeners that show the nodes of a cluster, whether these can be known.
void add_lint_of_nodes(const config::Configuration& configuration,
                       config::Diagnostics& diagnostics) {
  for (const config::Listener& listener : configuration.listeners) {
    if (!listener.nodes || listener.nodes->mode == config::NodesMode::single) continue;
    const config::Server* server = configuration.find_server(listener.servers.front());
    if (server == nullptr || server->topology) continue;
    diagnostics.warning(listener.at,
                        fmt::format("listener {} shows one node: server {} has no 'topology' to "
                                    "learn the others with",
                                    listener.name, server->name),
                        "give it an account for that, or write 'nodes: {mode: single}'");
  }
}

void add_lint(const config::Configuration& configuration, config::Diagnostics& diagnostics) {
  add_lint_of_nodes(configuration, diagnostics);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  for (std::size_t index = 0; index < configuration.policies.size(); ++index) {
    const auto& policy = configuration.policies[index];
    if (policy->rules().empty()) {
      diagnostics.warning(
          configuration.servers[index].at,
          fmt::format("server {} has no rules: it refuses everyone", policy->server()));
    }
    for (const rules::Finding& finding : rules::lint(*policy, configuration.networks, now)) {
      diagnostics.warning({.file = finding.origin.file, .line = finding.origin.line},
                          finding.message, finding.hint);
    }
  }
}

mariadb::Probe try_backend(const ServerState& state, std::size_t index) {
  if (state.server->protocol == config::Protocol::mariadb) return mariadb::probe_now(state, index);
  std::string why = cassandra::probe_now(state, index);
  if (!why.empty()) return {.good = false, .text = std::move(why)};
  return {.good = true, .text = "Cassandra answers"};
}

std::vector<BackendResult> try_backends(const Snapshot& snapshot) {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));  // a backend that has gone is an answer
  std::vector<BackendResult> results;
  for (const auto& state : snapshot.servers) {
    const config::Server& server = *state->server;
    for (std::size_t index = 0; index < server.backends.size(); ++index) {
      results.push_back({server.name, server.backends[index].text, try_backend(*state, index)});
    }
  }
  return results;
}

void print_text(const CheckOptions& options, const config::Diagnostics& diagnostics,
                const std::vector<BackendResult>& backends) {
  for (const config::Diagnostic& diagnostic : diagnostics.all())
    fmt::print("{}\n", to_string(diagnostic));
  for (const BackendResult& result : backends) {
    fmt::print("{}: server {}: backend {}: {}\n",
               coloured(result.probe.good ? Colour::good : Colour::bad,
                        result.probe.good ? "good" : "bad"),
               result.server, result.backend, result.probe.text);
  }
  const auto& all = diagnostics.all();
  const auto errors =
      std::count_if(all.begin(), all.end(), [](const config::Diagnostic& diagnostic) {
        return diagnostic.severity == config::Severity::error;
      });
  fmt::print("{}: errors: {}, warnings: {}", options.config.string(), errors,
             static_cast<std::ptrdiff_t>(all.size()) - errors);
  if (options.connect) {
    const auto bad = std::count_if(backends.begin(), backends.end(),
                                   [](const BackendResult& result) { return !result.probe.good; });
    fmt::print(", bad backends: {} of {}", bad, backends.size());
  }
  fmt::print("\n");
}

void print_as_json(const config::Diagnostics& diagnostics,
                   const std::vector<BackendResult>& backends, bool connect) {
  json::array found;
  for (const config::Diagnostic& diagnostic : diagnostics.all())
    found.push_back(gatehouse::to_json(diagnostic));
  json::object result{{"ok", !diagnostics.has_errors()}, {"diagnostics", std::move(found)}};
  if (connect) {
    json::array tried;
    for (const BackendResult& backend : backends) {
      tried.push_back({{"server", backend.server},
                       {"backend", backend.backend},
                       {"good", backend.probe.good},
                       {"text", backend.probe.text}});
    }
    result["backends"] = std::move(tried);
  }
  print_json(result);
}

}  // namespace

int check(const CheckOptions& options) {
  Continuity continuity;
  Built built = build_snapshot(load_files(options.config, continuity.tickets), continuity);
  std::vector<BackendResult> backends;
  if (built.snapshot) {
    const config::Configuration& configuration = *built.snapshot->configuration;
    add_lint(configuration, built.diagnostics);
    built.diagnostics.sort();
    if (options.connect) backends = try_backends(*built.snapshot);
  }
  if (options.format == Format::json) {
    print_as_json(built.diagnostics, backends, options.connect);
  } else {
    print_text(options, built.diagnostics, backends);
  }
  const bool all_answer =
      std::all_of(backends.begin(), backends.end(),
                  [](const BackendResult& result) { return result.probe.good; });
  return built.diagnostics.has_errors() || !all_answer ? ExitCode::failed : ExitCode::done;
}

}  // namespace gatehouse::cli
