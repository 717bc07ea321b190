#include "gateway/snapshot.h"

#include <algorithm>
#include <utility>

#include "config/text_file.h"

namespace gatehouse {

namespace {

template <typename States, typename Member>
auto* find_by_name(States& states, Member member, std::string_view name) {
  const auto found = std::find_if(states.begin(), states.end(),
                                  [&](const auto& state) { return member(state)->name == name; });
  return found == states.end() ? nullptr : &*found;
}

std::unique_ptr<ServerState> build_server(const config::Configuration& configuration,
                                          std::size_t index, Continuity& continuity,
                                          config::InputFiles& files,
                                          config::Diagnostics& diagnostics) {
  auto state = std::make_unique<ServerState>();
  const config::Server& server = configuration.servers[index];
  state->server = &server;
  state->policy.written = configuration.policies[index].get();
  state->policy.locked_down =
      continuity.lockdowns && continuity.lockdowns->find(server.name) != nullptr;
  if (server.tls.mode != config::BackendTlsMode::off) {
    state->tls = BackendTls::load(server, files, diagnostics);
  }
  state->metrics = &continuity.metrics.server(server.name);
  state->sessions = &continuity.sessions_by_server[server.name];
  state->rule_uses = continuity.rule_uses.of(*state->policy.written);
  state->backends = continuity.backends.of(server);
  if (server.protocol == config::Protocol::cassandra) {
    state->cluster = continuity.clusters.of(server);
  }
  return state;
}

// REQUIRES: the snapshot has all its servers.
void lead_to_servers(ListenerState& state, const Snapshot& snapshot) {
  state.servers.clear();
  state.policies.clear();
  state.server_names.clear();
  for (const std::string& name : state.listener->servers) {
    const ServerState* server = snapshot.find_server(name);
    state.servers.push_back(server);
    state.policies.push_back(server->policy);
    state.server_names.emplace_back(server->server->name);
  }
}

}  // namespace

const ListenerState* Snapshot::find_listener(std::string_view name) const noexcept {
  return find_by_name(listeners, [](const ListenerState& state) { return state.listener; }, name);
}

const ServerState* Snapshot::find_server(std::string_view name) const noexcept {
  const auto* found = find_by_name(
      servers, [](const std::unique_ptr<ServerState>& state) { return state->server; }, name);
  return found == nullptr ? nullptr : found->get();
}

Built build_snapshot(const std::filesystem::path& gateway_yaml, Continuity& continuity) {
  auto loaded = config::load(gateway_yaml);
  Built built{.snapshot = nullptr,
              .diagnostics = std::move(loaded.diagnostics),
              .inputs = std::move(loaded.inputs)};
  if (!loaded.configuration) return built;
  const config::Configuration& configuration = *loaded.configuration;
  if (!continuity.lockdowns) {
    continuity.lockdowns = Lockdowns::read(configuration, built.diagnostics);
  }
  if (!continuity.given_places) {
    continuity.given_places = GivenPlaces::read(configuration, built.diagnostics);
  }

  auto snapshot = std::make_shared<Snapshot>();
  config::InputFiles files(configuration.folder);
  for (std::size_t index = 0; index < configuration.servers.size(); ++index) {
    snapshot->servers.push_back(
        build_server(configuration, index, continuity, files, built.diagnostics));
  }
  for (const config::Listener& listener : configuration.listeners) {
    ListenerState state;
    state.listener = &listener;
    state.tls = ListenerTls::load(listener, continuity.tickets, files, built.diagnostics);
    state.handshakes = &continuity.handshakes_by_listener[listener.name];
    state.places = &continuity.places_by_listener[listener.name];
    lead_to_servers(state, *snapshot);
    snapshot->listeners.push_back(std::move(state));
  }
  built.inputs.insert(built.inputs.end(), files.inputs().begin(), files.inputs().end());
  built.diagnostics.sort();
  if (built.diagnostics.has_errors()) return built;
  snapshot->configuration = std::move(loaded.configuration);
  snapshot->loaded = std::chrono::system_clock::now();
  snapshot->inputs = built.inputs;
  built.snapshot = std::move(snapshot);
  return built;
}

std::shared_ptr<Snapshot> with_lockdowns(const Snapshot& snapshot, const Lockdowns& lockdowns) {
  auto next = std::make_shared<Snapshot>();
  next->loaded = snapshot.loaded;
  next->configuration = snapshot.configuration;
  next->inputs = snapshot.inputs;
  for (const auto& server : snapshot.servers) {
    auto& copy = next->servers.emplace_back(std::make_unique<ServerState>(*server));
    copy->policy.locked_down = lockdowns.find(server->server->name) != nullptr;
  }
  for (const ListenerState& listener : snapshot.listeners) {
    lead_to_servers(next->listeners.emplace_back(listener), *next);
  }
  return next;
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

MetricsSample sample_of(const Snapshot& snapshot) {
  MetricsSample sample;
  sample.snapshot_generation = snapshot.generation;
  sample.snapshot_age = std::chrono::system_clock::now() - snapshot.loaded;
  sample.certificate_expiry.reserve(snapshot.listeners.size());
  for (const ListenerState& listener : snapshot.listeners) {
    sample.certificate_expiry.emplace_back(
        listener.listener->name, std::chrono::floor<std::chrono::seconds>(listener.tls->expires()));
  }
  for (const auto& server : snapshot.servers) {
    for (std::size_t index = 0; index < server->backends.size(); ++index) {
      const BackendHealth health = server->backends[index]->health();
      if (health == BackendHealth::unknown) continue;
      sample.backend_up[{server->server->name, server->server->backends[index].text}] =
          health == BackendHealth::up;
    }
  }
  return sample;
}

}  // namespace gatehouse
