// A session with a Cassandra cluster: the client speaks first, in TLS or in the clear. Its node is
// dialled at the same time, and told nothing before the final decision is made.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/cassandra/conversation.h"
#include "gateway/cassandra/dial.h"
#include "gateway/cassandra/error.h"
#include "gateway/cassandra/frame_io.h"
#include "gateway/cassandra/login.h"
#include "gateway/cassandra_view.h"
#include "gateway/session.h"

namespace gatehouse {

class CassandraSession final : public Session {
 public:
  CassandraSession(Worker& worker, Accepted accepted);

  Awaitable<bool> arrive() override;
  Awaitable<bool> go_on(RelayEnd end) override;
  // Also tells the client of nodes that have become known.
  void check(std::chrono::steady_clock::time_point steady_now, rules::Time now) override;

 private:
  // Why the session ends, and what its client may still be told: an ERROR of its own, or a frame
  // that is already made.
  struct Stop {
    CloseReason reason = CloseReason::internal_error;
    std::uint32_t code = 0;
    std::string text{};
    std::vector<std::uint8_t> frame{};

    [[nodiscard]] bool says_something() const noexcept { return !text.empty() || !frame.empty(); }
  };
  using Outcome = std::optional<Stop>;

  // Unset: it is established, and its relay is there.
  Awaitable<Outcome> stages();
  Awaitable<Outcome> preamble(const ListenerState& listener);
  Awaitable<Outcome> tls_and_dial(const ListenerState& listener, const ServerState& server);
  Awaitable<Outcome> tls(const ListenerState& listener);
  Awaitable<Outcome> read_request();
  [[nodiscard]] Outcome show_cluster(const ListenerState& listener, const ServerState& server);
  Awaitable<Outcome> dial(const ServerState& server);
  Awaitable<Outcome> exchange();
  Awaitable<Outcome> pass_request();
  Awaitable<Outcome> pass_response();
  // Where nobody else knows the node, and the client is not yet told that it is in. `segments`: of
  // the node's side, which may be there before the client's.
  Awaitable<bool> learn_node(std::optional<cassandra::SegmentForm> segments);
  // What the node says of itself. Null: nothing that can be believed.
  Awaitable<std::shared_ptr<const cassandra::Ring>> ask_node(
      const config::SocketAddress& there, std::optional<cassandra::SegmentForm> segments);
  // Closes its record, and then it with the last words.
  Awaitable<void> over(const Stop& stop);
  // For one who was refused before he said a word: hears him out, as far as his first request.
  Awaitable<void> tell_at_accept(const Stop& stop);
  Awaitable<void> tell(const Stop& stop);
  void abort_dial() noexcept override;

  // Whether the first byte begins TLS. Unset: there was none.
  Awaitable<std::optional<bool>> starts_tls();
  [[nodiscard]] Stop stop_for(CloseReason reason) const;
  [[nodiscard]] Stop denied(const Judgement& judgement) const;
  [[nodiscard]] Stop fail(CloseReason reason) const;

  bool is_heard_ = false;  // as far as its first byte, which says whether it is TLS
  bool is_tls_ = false;
  bool hides_system_tables_ = true;
  std::optional<cassandra::Answering> answering_;  // set from the first request on
  CassandraView view_;
  cassandra::Conversation conversation_;
  cassandra::Login login_;
  std::optional<cassandra::SegmentForm> segments_;
  std::vector<cassandra::Candidate> candidates_;
  std::unique_ptr<cassandra::Dial> dial_;  // only while there is one
};

}  // namespace gatehouse
