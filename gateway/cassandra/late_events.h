// Events about nodes, each told once what a client would read upon it agrees with it. Drivers read
// the ring as soon as they are told, and not again: what is still shown then, they keep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gateway/cassandra/event.h"
#include "gateway/cassandra/shown_cluster.h"

namespace gatehouse::cassandra {

class LateEvents {
 public:
  using Buffer = std::vector<std::uint8_t>;

  // `cluster` must outlive this.
  explicit LateEvents(ShownCluster& cluster) noexcept : cluster_(cluster) {}

  // Both return frames for the client, without segments, of events that can be told now.

  // REQUIRES: `content` is that of a change of topology or status.
  [[nodiscard]] std::vector<Buffer> take(std::uint8_t version, Bytes content);
  // To be asked again and again, at intervals of about a second.
  [[nodiscard]] std::vector<Buffer> due(std::uint8_t version);

 private:
  struct Late {
    Buffer content;
    std::size_t before = 0;  // a hash of what it changes
    unsigned asked = 0;
    bool is_due = false;
  };

  std::vector<Buffer> tell(std::uint8_t version);
  // `ring`: null until it has been needed; asked for once in a tell(), since a view is work.
  [[nodiscard]] bool is_due(const Late& late, const Event& event, const Ring*& ring) const;

  ShownCluster& cluster_;
  std::vector<Late> events_;
};

}  // namespace gatehouse::cassandra
