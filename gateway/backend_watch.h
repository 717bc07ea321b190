// Finds out about backends what no session does: that one that failed answers again, and how one
// greets that a routed listener leads to. Those that are well and known are let be: each probe is a
// refused login in their logs.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>

#include "gateway/backends.h"
#include "gateway/net/asio.h"
#include "gateway/observe/log.h"
#include "gateway/snapshot.h"

namespace gatehouse {

// On the control thread.
class BackendWatch {
 public:
  // Both must outlive this, and the handlers of `context` must not run after it has gone.
  BackendWatch(asio::io_context& context, Log& log);

  // From now on looks after the backends of this snapshot, and begins at once: what kept one from
  // answering may have been put right.
  void follow(std::shared_ptr<const Snapshot> snapshot);
  // Begins nothing more.
  void stop();
  // Whether each backend whose greeting is needed was asked for it, successfully or not, since
  // follow().
  [[nodiscard]] bool all_were_asked() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Watched {
    const ServerState* server = nullptr;  // of snapshot_
    std::size_t index = 0;
    bool is_routed = false;    // a routed listener leads to it: its greeting is needed
    bool has_others = false;   // the server has other backends: sessions may be avoiding this one
    Clock::time_point due;     // next time it is probed
    Clock::duration pause{0};  // after that; 0: there was no need when last looked
    bool was_asked = false;
  };

  void look_regularly();
  void look();
  void begin(const std::shared_ptr<BackendState>& backend, const Watched& watched);
  void ended(const std::shared_ptr<BackendState>& backend);

  asio::io_context& context_;
  Log& log_;
  Timer timer_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::map<std::shared_ptr<BackendState>, Watched> watched_;
  // Also of snapshots before; the probe is over when what it holds has gone, however it ended.
  std::map<std::shared_ptr<BackendState>, std::weak_ptr<void>> under_way_;
};

}  // namespace gatehouse
