// What the gateway has learned of each backend: whether it answers, and how it greets. Shared by
// all workers, and goes on over reloads.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/configuration.h"
#include "gateway/mariadb/common_greeting.h"

namespace gatehouse {

struct ListenerState;

enum class BackendHealth {
  unknown,  // not tried yet
  up,
  failed,  // the last attempt to reach it
};
[[nodiscard]] std::string_view to_string(BackendHealth health) noexcept;

// One backend of one server. Any thread may call anything.
class BackendState {
 public:
  // How an attempt to reach it came out: only what the backend is to blame for. One that is full
  // (1040) is neither.
  void succeeded() noexcept { set(BackendHealth::up); }
  void failed() noexcept { set(BackendHealth::failed); }
  [[nodiscard]] BackendHealth health() const noexcept {
    return health_.load(std::memory_order_relaxed);
  }

  // It has greeted like this, now.
  void greeted(const mariadb::Greeting& greeting);
  // Unset: it has not greeted yet.
  [[nodiscard]] std::optional<mariadb::CommonGreeting> greeting() const;

 private:
  void set(BackendHealth health) noexcept;

  std::atomic<BackendHealth> health_{BackendHealth::unknown};
  mutable std::mutex mutex_;  // held to compare or copy one greeting, once a connection
  std::optional<mariadb::CommonGreeting> greeting_;
};

// One entry a backend, in the order of the server's.
using BackendStates = std::vector<std::shared_ptr<BackendState>>;

// Asked while a snapshot is built, on one thread. An entry is known by its server's name and the
// backend's text, and lives as long as a snapshot holds it.
class BackendTable {
 public:
  [[nodiscard]] BackendStates of(const config::Server& server);

 private:
  using Key = std::pair<std::string, std::string>;
  std::map<Key, std::weak_ptr<BackendState>> backends_;
};

// Which backend a session dials next: in order, those that have not failed; where none of these is
// left, those that have. Unset: all were tried. REQUIRES: `tried` is as long as `backends`.
[[nodiscard]] std::optional<std::size_t> next_backend(const BackendStates& backends,
                                                      const std::vector<bool>& tried) noexcept;

// What a routed listener greets its clients with, by what is known now of all its servers'
// backends.
[[nodiscard]] mariadb::CommonGreeting common_greeting(const ListenerState& listener);

}  // namespace gatehouse
