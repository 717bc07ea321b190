// The gateway's own connection to one node of a cluster, on which it learns the ring and is told
// when it changes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/cassandra/candidate.h"
#include "gateway/cassandra/dial.h"
#include "gateway/cassandra/error.h"
#include "gateway/cassandra/event.h"
#include "gateway/cassandra/frame_io.h"

namespace gatehouse::cassandra {

// Nodes are hostile senders too: what they say is bounded in size and in time.
class ControlConnection {
 public:
  // Called with each ring as it is read, whether it differs from the last or not.
  using Learned = std::function<void(const std::shared_ptr<const Ring>& ring)>;

  // REQUIRES: the server has `topology`, and a cluster. `state` and what it points to, and `log`,
  // must outlive this; so must state.tls.
  ControlConnection(const ServerState& state, Log& log, Learned learned);

  // Once: connects to this node, logs in and follows the ring until the connection ends; returns
  // why it did, for operators only. `candidate` must outlive the result.
  Awaitable<std::string> run(const Candidate& candidate);
  // Ends run(), whatever it is at.
  void stop() noexcept;

 private:
  using Clock = std::chrono::steady_clock;
  enum class Greeted { yes, no, not_in_this_version };

  // Those that return a bool: whether it went well; otherwise why_ says what did not.
  Awaitable<bool> connect(const Candidate& candidate);
  Awaitable<Greeted> greet(std::uint8_t version);
  Awaitable<bool> log_in();
  Awaitable<bool> authenticate();
  Awaitable<void> follow();
  Awaitable<bool> look();
  Awaitable<bool> ask_peers();
  Awaitable<bool> wait_for_event(Clock::time_point until);
  Awaitable<bool> query(std::string_view text);
  // The answer's content is in content_.
  Awaitable<bool> ask(std::uint8_t opcode, Bytes body);
  // The same, of a frame that is made already.
  Awaitable<bool> exchange(Bytes frame, std::optional<SegmentForm> form);
  Awaitable<bool> read_answer();
  bool take_content();
  bool take_event();
  void look_by(Clock::time_point when) noexcept { look_at_ = std::min(look_at_, when); }

  [[nodiscard]] std::uint8_t answer() const noexcept { return reader_->header().opcode; }
  [[nodiscard]] bool is_refused(std::uint32_t code) const noexcept;
  bool expect(std::uint8_t opcode, std::string_view request);
  bool fail(std::string why);

  const ServerState& state_;
  Log& log_;
  Learned learned_;
  const Candidate* candidate_ = nullptr;
  std::optional<Stream> stream_;
  std::optional<Dial> dial_;
  std::optional<FrameReader> reader_;
  std::optional<SegmentForm> form_;
  std::uint8_t version_ = version_max;
  std::int16_t stream_id_ = 0;  // of the last request
  Bytes content_;               // of the last answer or event; in reader_
  bool has_old_peers_ = false;  // and no peers_v2
  bool stopped_ = false;
  std::string why_;

  std::shared_ptr<const Ring> ring_;  // as last read here
  Clock::time_point look_at_;
  std::optional<Clock::time_point> look_again_at_;
  Clock::time_point schema_until_;  // until then, nodes may differ in it
};

}  // namespace gatehouse::cassandra
