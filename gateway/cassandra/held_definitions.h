// Answers to changes of the schema where a client is shown one node for several: each waits until
// all nodes have heard of it. A driver waits for that itself where it can see nodes; here it would
// use at once what its next connection's node does not know yet.
#pragma once

#include <cstdint>
#include <vector>

#include "gateway/cassandra/shown_cluster.h"

namespace gatehouse::cassandra {

class HeldDefinitions {
 public:
  using Buffer = std::vector<std::uint8_t>;

  // `cluster` must outlive this.
  explicit HeldDefinitions(ShownCluster& cluster) noexcept : cluster_(cluster) {}

  // The frame of such an answer. False: there is nothing to wait for, or too much waits already.
  [[nodiscard]] bool holds(Bytes frame);
  // Those that need not wait any more. To be asked again and again, at intervals of about a second.
  [[nodiscard]] std::vector<Buffer> due();
  // All of them: nobody will ask again.
  [[nodiscard]] std::vector<Buffer> rest();

 private:
  struct Held {
    Buffer frame;
    unsigned asked = 0;
  };

  ShownCluster& cluster_;
  std::vector<Held> held_;
};

}  // namespace gatehouse::cassandra
