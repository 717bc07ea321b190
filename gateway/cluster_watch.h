// Learns the rings of Cassandra clusters, and keeps what is known of them true: one connection for
// each server that has an account for it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "gateway/observe/log.h"
#include "gateway/snapshot.h"
#include "gateway/standing_work.h"

namespace gatehouse {

// On the control thread.
class ClusterWatch {
 public:
  // Both must outlive this, and the handlers of its context must not run after it has gone.
  // `on_ring`: another ring was published; must not throw.
  ClusterWatch(StandingWork& work, Log& log, std::function<void()> on_ring);
  ~ClusterWatch();
  ClusterWatch(const ClusterWatch&) = delete;
  ClusterWatch& operator=(const ClusterWatch&) = delete;

  // From now on learns the rings of this snapshot's servers. A connection goes on where it would be
  // made in the same way again, and where there is none it is tried at once: what kept it from
  // being made may have been put right. Throws std::bad_alloc: to be called again.
  void follow(const Snapshot& snapshot);
  // Ends every connection, and makes none any more.
  void stop();
  // Whether each ring was learned, or every node tried that was known.
  [[nodiscard]] bool all_were_asked() const;

 private:
  class Watched;

  void begin(const std::string& name, const ServerState& server);

  StandingWork& work_;
  Log& log_;
  std::function<void()> on_ring_;
  std::map<std::string, std::shared_ptr<Watched>> watched_;  // by the server's name
};

}  // namespace gatehouse
