// The running gateway: workers, the snapshot in force, and how one snapshot follows another. Lives
// on the control thread, which serves nobody's session: it lets files be loaded, answers the admin
// socket, and drains.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/signal_set.hpp>

#include "gateway/backend_watch.h"
#include "gateway/cluster_watch.h"
#include "gateway/failed_logins.h"
#include "gateway/file_watch.h"
#include "gateway/loader.h"
#include "gateway/net/asio.h"
#include "gateway/net/listening.h"
#include "gateway/node_listening.h"
#include "gateway/places.h"
#include "gateway/services.h"
#include "gateway/session.h"
#include "gateway/snapshot.h"
#include "gateway/standing_work.h"
#include "gateway/worker.h"

namespace gatehouse {

// The last load that was refused.
struct LoadError {
  std::chrono::system_clock::time_point time;
  std::vector<config::Diagnostic> diagnostics;
};

enum class ReloadOutcome { loaded, unchanged, rejected };

class Gateway {
 public:
  // `log` is configured by what is loaded.
  Gateway(std::filesystem::path gateway_yaml, Log& log);
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;
  ~Gateway();

  // Loads, binds and starts the workers. False: it cannot start; why stands in last_error() or has
  // been logged. `listening` is called with a name and an address for each socket bound, also
  // later, after a reload.
  bool start(std::function<void(const std::string&, const std::string&)> listening);
  // Serves until SIGTERM or SIGINT, then drains. Returns when nothing is open any more.
  void run();

  // --- for the admin side, on the control thread
  // -----------------------------------------------------

  // Loads what is on disk now, while everything else goes on. `done` is called once, perhaps before
  // this returns.
  using Reloaded = std::function<void(ReloadOutcome)>;
  void reload(Reloaded done);
  // A server by command of a user, whatever the files on disk are like.
  struct LockdownOutcome {
    bool changed = false;        // it was not so before
    std::string error;           // not empty: why the disk does not have it
    bool lacked_memory = false;  // it comes into force within a second of there being some
  };
  // In force also where it cannot be stored.
  LockdownOutcome lock_down(const std::string& server, std::uint32_t uid);
  // Stays locked down where that cannot be stored.
  LockdownOutcome unlock(const std::string& server, std::uint32_t uid);
  [[nodiscard]] const Lockdowns& lockdowns() const noexcept { return *continuity_.lockdowns; }
  // Calls `done` with what `visit` made of every session, once all workers have answered.
  using Visit = std::function<std::optional<std::string>(Session&)>;
  void for_each_session(Visit visit, std::function<void(const std::vector<std::string>&)> done);

  // Whether new sessions may be let in.
  [[nodiscard]] bool is_ready() const noexcept { return ready_ && !audit_->refuses_sessions(); }
  [[nodiscard]] const std::shared_ptr<const Snapshot>& snapshot() const noexcept {
    return snapshot_;
  }
  [[nodiscard]] const std::optional<LoadError>& last_error() const noexcept { return last_error_; }
  struct BoundListener {
    std::string listener;
    std::optional<config::SocketAddress> address;  // unset: a node's that cannot be had now
    std::optional<cassandra::Uuid> node{};         // that it stands for
    std::string trouble{};                         // why there is no address
  };
  [[nodiscard]] std::vector<BoundListener> listeners() const;
  [[nodiscard]] std::string metrics_text() const;
  [[nodiscard]] AuditLog& audit() noexcept { return *audit_; }
  [[nodiscard]] FailedLogins& failed_logins() noexcept { return failed_logins_; }
  [[nodiscard]] asio::io_context& context() noexcept { return context_; }
  [[nodiscard]] StandingWork& standing_work() noexcept { return standing_work_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Socket {
    std::string listener;
    config::SocketAddress address;
  };
  struct Sockets {
    std::map<std::string, Socket> by_key;
    ListeningSockets added;
  };

  void begin_to_load();
  void end_of_load(std::optional<LoadedFiles> files, Clock::time_point started);
  Built build(std::optional<LoadedFiles> files);
  ReloadOutcome take(Built built, Clock::time_point started);
  [[nodiscard]] static std::string key_of(const config::Listener& listener, std::size_t index);
  // What the snapshot's listeners need beyond what is bound already; a failure is an error in
  // `diagnostics`.
  Sockets bind(const Snapshot& snapshot, config::Diagnostics& diagnostics) const;
  void put_in_force(std::shared_ptr<Snapshot> snapshot, Sockets sockets, Clock::time_point started);
  // All that the lockdowns say; and everybody is told what he was not told yet.
  void put_lockdowns_in_force();
  [[nodiscard]] bool is_locked_down_now(const std::string& server) const;
  void begin_to_work(const config::Configuration& configuration, std::size_t workers);
  // From here on it counts, and is told until everybody knows. `started`: the work for it.
  void change_to(std::shared_ptr<Snapshot> next, Clock::time_point started);
  // Everybody who acts by the snapshot. What a want of memory ends is to be done again.
  void tell_all();
  void remember_bound(ListeningSockets added) noexcept;
  // To the workers: the snapshot in force, and where connections come in for it.
  void hand_out();
  ReloadOutcome reject(const Built& built, std::chrono::nanoseconds took);
  // By the rings as they are known now.
  void look_at_nodes();
  void place_nodes();
  void tell_of_socket(const std::string& key) const;
  [[nodiscard]] bool is_port_of_listeners(const Sockets& sockets, std::uint16_t port) const;
  void look_regularly();
  void bind_to_new_devices();
  void wait_for_greetings();

  void wait_for_end();
  void wait_for_reload();
  // True: changes may have been missed, in folders that were not watched before.
  bool watch(const std::vector<config::Input>& inputs);
  void files_changed();
  void look_again_at(Clock::time_point when);
  void look_at_files();
  [[nodiscard]] bool something_is_missing(Clock::time_point now);
  void drain();
  void wait_until_drained(Clock::time_point until);
  void cut_everything();
  [[nodiscard]] std::size_t connections() const noexcept;

  std::filesystem::path gateway_yaml_;
  Log& log_;
  asio::io_context context_{1};
  std::function<void(const std::string&, const std::string&)> listening_;

  Continuity continuity_;
  Loader loader_;
  bool is_loading_ = false;
  bool load_again_ = false;
  std::vector<Reloaded> asked_to_reload_;  // who is answered by the next load
  std::vector<Reloaded> answers_due_;      // by the one that is under way
  Places places_;
  FailedLogins failed_logins_;
  ThreadIds thread_ids_;
  std::atomic<std::uint32_t> refusals_{0};
  std::atomic<std::uint64_t> next_session_;
  std::string own_user_;
  std::unique_ptr<AuditLog> audit_;
  std::vector<std::unique_ptr<Worker>> workers_;

  std::shared_ptr<const Snapshot> snapshot_;
  bool all_are_told_ = false;                       // of it
  std::map<std::string, Socket> sockets_;           // by key
  ListeningSockets bound_;                          // not handed out to all workers yet
  std::weak_ptr<const Worker::Change> handed_out_;  // while some worker is not done with it
  std::optional<LoadError> last_error_;
  std::vector<config::Input>
      rejected_inputs_;  // of that error: the same files are not refused twice aloud

  StandingWork standing_work_;
  BackendWatch backend_watch_;
  ClusterWatch cluster_watch_;
  NodeListening nodes_;
  // Two sets: of one, what waits is told by its number, and SIGTERM would come behind every SIGHUP.
  asio::basic_signal_set<Executor> ends_;
  asio::basic_signal_set<Executor> reloads_;
  std::unique_ptr<FileWatch> watch_;
  std::string unwatched_;  // what cannot be watched, as was told last
  Timer settle_;
  Timer look_timer_;
  std::set<std::string> missing_devices_;
  std::optional<Clock::time_point> changing_since_;
  struct Missing {
    Clock::time_point since;
    std::int64_t changed =
        0;  // the empty file's own time of change, in nanoseconds; 0: there is none
  };
  std::map<std::filesystem::path, Missing> missing_since_;
  Timer drain_timer_;
  bool ready_ = false;
  bool draining_ = false;
};

}  // namespace gatehouse
