// A gateway without its threads, and what there is around it: listeners of every kind, rules that
// can change, and servers whose connections a script speaks on. One for the whole process; a run of
// the fuzzer is one session in it, and leaves it as it was.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/services.h"
#include "gateway/snapshot.h"
#include "gateway/worker.h"
#include "tests/fuzz/config_folder.h"
#include "tests/gateway/buffers.h"

namespace gatehouse::fuzz {

enum class RulesNow : std::uint8_t {
  open,      // the allowed networks reach every server but `hidden`
  changed,   // they still do, by other rules; but not `billing` any more, which keeps its sessions
  closed,    // every server is locked down
  no_entry,  // the listeners are gone
};
inline constexpr std::size_t rules_count = 4;

// One connection that the gateway has made to a server.
struct BackendSide {
  Descriptor socket;
  std::string_view server;
  std::size_t received = 0;
};

// How the records of one run's session ended, by the audit.
struct Ends {
  std::size_t opened = 0;
  std::size_t ended = 0;
  std::size_t health_checks = 0;  // which are counted and not recorded
};

class World {
 public:
  World();

  // --- a run
  // -----------------------------------------------------------------------------------------

  void begin();
  // The client's end of a connection from `source` that the gateway has accepted at a listener.
  [[nodiscard]] Descriptor connect(std::string_view listener, const config::SocketAddress& source);
  void put_in_force(RulesNow rules);
  void cut_all(CloseReason reason) { worker_.cut_all(reason); }
  // Everything that can happen now; and then takes in what the gateway has dialled.
  void turn();
  [[nodiscard]] std::vector<BackendSide>& backends() noexcept { return backends_; }
  [[nodiscard]] bool is_serving() const noexcept { return worker_.connections() > 0; }
  [[nodiscard]] bool has_established() const noexcept {
    return continuity_.metrics.sessions_open.value() > 0;
  }
  // Somebody else has all places there are; until the end of the run.
  void take_all_places();
  // REQUIRES: not serving any more. That everything was given back.
  [[nodiscard]] Ends end();

 private:
  struct Listening {
    std::string server;
    Descriptor socket;
    std::uint16_t port = 0;
  };

  [[nodiscard]] static Listening listen_as(std::string server);
  void load_snapshots();
  void publish_ring();
  void check_places();
  [[nodiscard]] Ends read_audit();

  ConfigFolder folder_;
  std::vector<Listening> listening_;
  Continuity continuity_;
  std::array<std::shared_ptr<const Snapshot>, rules_count> snapshots_;
  std::atomic<std::int64_t> audit_minutes_{0};

  Log log_;
  std::optional<AuditLog> audit_;
  Places places_;
  FailedLogins failed_logins_;
  ThreadIds thread_ids_;
  std::atomic<std::uint32_t> refusals_{0};
  std::atomic<std::uint64_t> next_session_{1};
  std::string own_user_ = "gatehouse";
  Worker worker_;

  std::vector<BackendSide> backends_;
  std::optional<Place> taken_;
  std::uint64_t descriptors_before_ = 0;
  std::uint64_t health_checks_before_ = 0;
  std::size_t audit_read_ = 0;
};

}  // namespace gatehouse::fuzz
