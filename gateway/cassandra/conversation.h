// What passes between a client and its node once it is in: whole frames, of which the gateway
// answers some requests itself and changes what nodes say of each other.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gateway/cassandra/bytes.h"
#include "gateway/cassandra/compression.h"
#include "gateway/cassandra/frame_reader.h"
#include "gateway/cassandra/held_definitions.h"
#include "gateway/cassandra/late_events.h"
#include "gateway/cassandra/request_filter.h"
#include "gateway/cassandra/segment.h"
#include "gateway/cassandra/shown_cluster.h"
#include "gateway/relay_filter.h"

namespace gatehouse::cassandra {

// What a filter's calls make, shared by all sessions of a worker: nobody needs it between calls.
struct ConversationBuffers {
  std::vector<std::uint8_t> to_node;
  std::vector<std::uint8_t> to_client;
};

class Conversation final : public RelayFilter {
 public:
  // Of a frame during the handshake, and of one that is looked at afterwards, in bytes: Cassandra
  // itself takes 16 MiB.
  static constexpr std::uint32_t handshake_limit = 64 * 1024;
  static constexpr std::uint32_t frame_limit = 16 * 1024 * 1024;

  // Both must outlive this.
  Conversation(ShownCluster& cluster, ConversationBuffers& buffers);
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // --- the handshake, in which each frame of either side is read whole
  // -----------------------------

  [[nodiscard]] FrameReader& requests() noexcept { return requests_; }
  [[nodiscard]] FrameReader& responses() noexcept { return responses_; }
  // On both sides, behind the node's answer to a STARTUP in v5.
  void begin_segments(SegmentForm form);
  // From here on frames pass.
  struct Terms {
    std::uint8_t version = 0;
    Compression compression = Compression::none;  // of v3 and v4
    bool hides_system_tables = true;              // what may show where nodes are is refused
  };
  void begin(const Terms& terms);

  // --- once they pass
  // ------------------------------------------------------------------------------

  Result from_client(std::span<const std::uint8_t> chunk) override;
  Result from_backend(std::span<const std::uint8_t> chunk) override;
  // For the client: what has waited for the cluster to become what it says (late_events.h,
  // held_definitions.h). To be asked for every second. Lives as long as a Result's.
  [[nodiscard]] Bytes due();
  // For the client, too, once the relay has ended: answers that still wait, if anything can be
  // said.
  [[nodiscard]] std::vector<std::uint8_t> rest();
  // Whether it was the node that made the relay stop.
  [[nodiscard]] bool node_is_to_blame() const noexcept { return node_is_to_blame_; }

 private:
  using Buffer = std::vector<std::uint8_t>;

  // Each is false where nothing more can be believed of who sent that.
  bool take_request(Buffer& to_node, Buffer& answers);
  bool take_response(Buffer& to_client);
  bool take_event(Buffer& to_client, Bytes content);
  void append_error(Buffer& to_client, Bytes prefix, Bytes content) const;
  void append_part(Buffer& to_client) const;
  void release_held(Buffer& to_client);
  // A whole frame as it stands on the wire at this point.
  void append_frame(Buffer& out, Bytes frame) const;
  // Asked once of each frame of the node's.
  bool is_looked_at(const FrameHeader& header);

  ShownCluster& cluster_;
  ConversationBuffers& buffers_;
  std::optional<RequestFilter> filter_;  // once frames pass
  FrameReader requests_;
  FrameReader responses_;
  std::optional<SegmentForm> segments_;
  Compression compression_ = Compression::none;  // of bodies: where there are segments, none
  std::uint8_t version_ = 0;
  bool node_is_to_blame_ = false;
  Buffer held_;  // answers that wait for the end of a long frame of the node's
  LateEvents late_events_;
  HeldDefinitions definitions_;
};

}  // namespace gatehouse::cassandra
