// One immutable generation of everything loaded: configuration, policies, TLS identities. Workers
// hold it by shared pointer; it is replaced as a whole, never changed.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"
#include "gateway/backends.h"
#include "gateway/cluster.h"
#include "gateway/given_places.h"
#include "gateway/loaded_files.h"
#include "gateway/lockdowns.h"
#include "gateway/net/tls_context.h"
#include "gateway/net/tls_tickets.h"
#include "gateway/node_places.h"
#include "gateway/observe/metrics.h"
#include "gateway/observe/rule_use.h"

namespace gatehouse {

// Of one server: what its sessions need besides its configuration.
struct ServerState {
  const config::Server* server = nullptr;  // owned by the snapshot's configuration
  rules::PolicyInForce policy;             // likewise
  std::shared_ptr<BackendTls> tls;         // null where the mode is off
  ServerMetrics* metrics = nullptr;        // outlives every snapshot
  std::atomic<std::uint32_t>* sessions =
      nullptr;             // counted against max_sessions; outlives every snapshot
  RuleUses rule_uses;      // parallel to policy.written->rules()
  BackendStates backends;  // parallel to server->backends
  // What is known of the ring; outlives every snapshot. Null unless the protocol is cassandra.
  std::shared_ptr<Cluster> cluster;
};

struct ListenerState {
  const config::Listener* listener = nullptr;  // owned by the snapshot's configuration
  std::shared_ptr<const ListenerTls> tls;
  std::vector<const ServerState*> servers;  // owned by the snapshot
  // Parallel to `servers`, in the form that each question needs.
  std::vector<rules::PolicyInForce> policies;
  std::vector<std::string_view> server_names;
  // Counted against limits.handshakes; outlives every snapshot.
  std::atomic<std::uint32_t>* handshakes = nullptr;
  // Of a Cassandra cluster's nodes; outlives every snapshot.
  NodePlaces* places = nullptr;

  [[nodiscard]] bool is_routed() const noexcept {
    return listener->login == config::LoginMode::routed;
  }
};

struct Snapshot {
  std::uint64_t generation = 0;
  std::chrono::system_clock::time_point loaded;
  std::shared_ptr<const config::Configuration> configuration;
  std::vector<std::unique_ptr<ServerState>> servers;  // in the order of the configuration
  std::vector<ListenerState> listeners;               // likewise
  std::vector<config::Input> inputs;                  // every file it was made of

  // Null if there is none of that name.
  [[nodiscard]] const ListenerState* find_listener(std::string_view name) const noexcept;
  [[nodiscard]] const ServerState* find_server(std::string_view name) const noexcept;
};

// What goes on from snapshot to snapshot. One, owned by the gateway; outlives every snapshot.
struct Continuity {
  TicketKeys tickets;
  Metrics metrics;
  RuleUseTable rule_uses;
  BackendTable backends;
  // Unset until the first state folder is known.
  std::optional<Lockdowns> lockdowns;
  std::optional<GivenPlaces> given_places;
  std::map<std::string, std::atomic<std::uint32_t>, std::less<>> sessions_by_server;
  std::map<std::string, std::atomic<std::uint32_t>, std::less<>> handshakes_by_listener;
  std::map<std::string, NodePlaces, std::less<>> places_by_listener;
  ClusterTable clusters;
};

struct Built {
  // Null exactly if `diagnostics` has errors.
  std::shared_ptr<Snapshot> snapshot;
  config::Diagnostics diagnostics;    // sorted
  std::vector<config::Input> inputs;  // also when nothing was built
};

// Puts together what was loaded and what goes on; the first time, reads what is in the state
// folder. The generation is still 0.
[[nodiscard]] Built build_snapshot(LoadedFiles files, Continuity& continuity);

// The same once more, with the lockdowns of now. The generation is still 0. Reads no files: what is
// wrong with those on disk keeps no server open.
[[nodiscard]] std::shared_ptr<Snapshot> with_lockdowns(const Snapshot& snapshot,
                                                       const Lockdowns& lockdowns);

// What a scrape learns from the snapshot in force.
[[nodiscard]] MetricsSample sample_of(const Snapshot& snapshot);

}  // namespace gatehouse
