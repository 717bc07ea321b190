// What the gateway knows of a Cassandra cluster, from the control thread, which learns it, to the
// workers, whose sessions use it.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "gateway/cassandra/ring.h"

namespace gatehouse {

// One a server. Any thread may call anything. Goes on over reloads.
class Cluster {
 public:
  // Null until it is learned.
  [[nodiscard]] std::shared_ptr<const cassandra::Ring> ring() const;
  void publish(std::shared_ptr<const cassandra::Ring> ring);

 private:
  mutable std::mutex mutex_;  // held to copy one pointer
  std::shared_ptr<const cassandra::Ring> ring_;
};

}  // namespace gatehouse
