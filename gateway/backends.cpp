#include "gateway/backends.h"

#include "gateway/snapshot.h"

namespace gatehouse {

std::string_view to_string(BackendHealth health) noexcept {
  switch (health) {
    case BackendHealth::up:
      return "up";
    case BackendHealth::failed:
      return "failed";
    case BackendHealth::unknown:
      break;
  }
  return "unknown";
}

void BackendState::set(BackendHealth health) noexcept {
  // Most of the time it is so already: do not fight for the cache line.
  if (this->health() != health) health_.store(health, std::memory_order_relaxed);
}

void BackendState::greeted(const mariadb::Greeting& greeting) {
  const std::lock_guard lock(mutex_);
  if (greeting_ && greeting_->capabilities == greeting.capabilities &&
      greeting_->charset == greeting.charset &&
      greeting_->server_version == greeting.server_version) {
    return;
  }
  greeting_ = mariadb::common_part(greeting);
}

std::optional<mariadb::CommonGreeting> BackendState::greeting() const {
  const std::lock_guard lock(mutex_);
  return greeting_;
}

BackendStates BackendTable::of(const config::Server& server) {
  BackendStates states;
  states.reserve(server.backends.size());
  for (const config::Backend& backend : server.backends) {
    std::weak_ptr<BackendState>& kept = backends_[Key{server.name, backend.text}];
    std::shared_ptr<BackendState> state = kept.lock();
    if (state == nullptr) kept = state = std::make_shared<BackendState>();
    states.push_back(std::move(state));
  }
  std::erase_if(backends_, [](const auto& entry) { return entry.second.expired(); });
  return states;
}

std::optional<std::size_t> next_backend(const BackendStates& backends,
                                        const std::vector<bool>& tried) noexcept {
  std::optional<std::size_t> failed;
  for (std::size_t index = 0; index < backends.size(); ++index) {
    if (tried[index]) continue;
    if (backends[index]->health() != BackendHealth::failed) return index;
    if (!failed) failed = index;
  }
  return failed;
}

mariadb::CommonGreeting common_greeting(const ListenerState& listener) {
  std::vector<mariadb::CommonGreeting> known;
  for (const ServerState* server : listener.servers) {
    for (const auto& backend : server->backends) {
      if (auto greeting = backend->greeting()) known.push_back(*std::move(greeting));
    }
  }
  return mariadb::lowest_common(known);
}

}  // namespace gatehouse
