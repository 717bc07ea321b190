#include "gateway/snapshot.h"

#include <algorithm>
#include <utility>

namespace gatehouse {

namespace {

template <typename States, typename Member>
auto* find_by_name(States& states, Member member, std::string_view name) {
  const auto found = std::find_if(states.begin(), states.end(),
                                  [&](const auto& state) { return member(state)->name == name; });
  return found == states.end() ? nullptr : &*found;
}

std::unique_ptr<ServerState> build_server(const LoadedFiles& files, std::size_t index,
                                          Continuity& continuity) {
  const config::Server& server = files.configuration->servers[index];
  auto state = std::make_unique<ServerState>();
  state->server = &server;
  state->policy.written = files.configuration->policies[index].get();
  state->policy.locked_down =
      continuity.lockdowns && continuity.lockdowns->find(server.name) != nullptr;
  state->tls = files.server_tls[index];
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

Built build_snapshot(LoadedFiles files, Continuity& continuity) {
  Built built{.snapshot = nullptr,
              .diagnostics = std::move(files.diagnostics),
              .inputs = std::move(files.inputs)};
  if (!files.configuration) return built;
  const config::Configuration& configuration = *files.configuration;
  if (!continuity.lockdowns) {
    continuity.lockdowns = Lockdowns::read(configuration, built.diagnostics);
  }
  if (!continuity.given_places) {
    continuity.given_places = GivenPlaces::read(configuration, built.diagnostics);
  }
  built.diagnostics.sort();
  if (built.diagnostics.has_errors()) return built;

  auto snapshot = std::make_shared<Snapshot>();
  for (std::size_t index = 0; index < configuration.servers.size(); ++index) {
    snapshot->servers.push_back(build_server(files, index, continuity));
  }
  for (std::size_t index = 0; index < configuration.listeners.size(); ++index) {
    ListenerState state;
    state.listener = &configuration.listeners[index];
    state.tls = files.listener_tls[index];
    state.handshakes = &continuity.handshakes_by_listener[state.listener->name];
    state.places = &continuity.places_by_listener[state.listener->name];
    lead_to_servers(state, *snapshot);
    snapshot->listeners.push_back(std::move(state));
  }
  snapshot->configuration = std::move(files.configuration);
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
