// One client connection, from accept to its audit record: what is the same in every protocol.
//
// The order of its stages is the security property: for each protocol it reads top to bottom in
// stages() of its own session (mariadb_session.h, cassandra_session.h). That coroutine owns the
// session; one that is established is owned by its relay, which is none, so that a session that
// waits costs little. It never leaves its worker.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <boost/intrusive/list_hook.hpp>

#include "config/configuration.h"
#include "gateway/cassandra/cell.h"
#include "gateway/close_reason.h"
#include "gateway/net/descriptor.h"
#include "gateway/net/relay.h"
#include "gateway/net/tls_stream.h"
#include "gateway/observe/audit_event.h"
#include "gateway/observe/audit_log.h"
#include "gateway/places.h"
#include "gateway/proxy_protocol/received_header.h"
#include "gateway/snapshot.h"
#include "rules/policy.h"

namespace gatehouse {

class Worker;

// A connection as accept(2) gave it: nothing is known and nothing is allocated for it yet.
struct Accepted {
  Descriptor descriptor;
  config::SocketAddress peer;
  std::string listener;
  // Which of a Cassandra cluster's nodes the socket stands for; unset: any.
  std::optional<cassandra::Uuid> node{};
};

class Session : public boost::intrusive::list_base_hook<> {
 public:
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  // Whatever happened, an exception too: the audit closes the session here if nothing else has.
  virtual ~Session();

  // --- all of it, in turns; false: nothing is left to do (serve.h)
  // ----------------------------------------------

  // From accept until it is established.
  virtual Awaitable<bool> arrive() = 0;
  // REQUIRES: the step before said that it goes on. `on_end` is called once, and may destroy this.
  void start_relay(std::function<void(RelayEnd)> on_end) noexcept {
    relay_->start(std::move(on_end));
  }
  virtual Awaitable<bool> go_on(RelayEnd end) = 0;

  // --- by the worker, between the session's own steps
  // ----------------------------------------------

  // Ends the session wherever it is; the first reason counts.
  void cut(CloseReason reason) noexcept;
  // Nobody new is let in: ends it if it is not yet known whose it is.
  void stop_waiting() noexcept {
    if (waiting_) cut(CloseReason::drained);
  }
  // Judges it by the worker's snapshot and the time, and looks at its idle time.
  virtual void check(std::chrono::steady_clock::time_point steady_now, rules::Time now);

  // Recorded as opened and not yet as closed.
  [[nodiscard]] bool is_established() const noexcept { return established_ && !concluded_; }
  // As of now, bytes and duration included.
  [[nodiscard]] SessionRecord record() const;

 protected:
  // What a snapshot says of this source. Whatever is missing makes it a denial. The pointers are
  // the snapshot's.
  struct Judgement {
    rules::Decision decision;
    rules::Identity identity;
    const ListenerState* listener = nullptr;
    const ServerState* server = nullptr;
  };

  // `protocol`: the one its class speaks.
  Session(Worker& worker, Accepted accepted, config::Protocol protocol);

  // --- the stages that all protocols have; a value ends the session
  // --------------------------------

  [[nodiscard]] bool needs_proxy_header() const noexcept;
  Awaitable<std::optional<CloseReason>> read_proxy_header();
  // Room in the audit, and a place under the caps.
  [[nodiscard]] std::optional<CloseReason> take_place(const config::Limits& bounds,
                                                      const ListenerState& listener);
  [[nodiscard]] std::optional<CloseReason> take_place_at(const ServerState& server);
  Awaitable<std::optional<CloseReason>> client_tls(const ListenerState& listener);
  // Whether the source may come in now: judged, not blocked, and remembered.
  [[nodiscard]] Judgement decide(const Snapshot& snapshot);
  // The audit's `opened`: from now on it is established.
  void record_opened();
  // Under another user. False: the audit has no room for it.
  [[nodiscard]] bool record_opened_again();
  void conclude(CloseReason reason) noexcept;

  // --- how it ends, towards the client
  // -------------------------------------------------------------

  // What a session that got no further than the first decision may say; nothing is waited for, so
  // that whoever comes however often holds nothing. Without a message it is a reset, or behind a
  // PROXY header an end.
  void say_at_accept(std::span<const std::uint8_t> message) noexcept;
  // The last words, and an orderly close, within limits::gentle_close.
  Awaitable<void> close_gently(std::span<const std::uint8_t> message);

  // For `rules`: once a session, by the decision that let it in or kept it out.
  static void count_use(const Judgement& judgement) noexcept;
  // `on_revoke: keep` lets an established session be whose allow rule was removed, and nothing
  // else.
  [[nodiscard]] bool is_spared(const Judgement& judgement) const;
  // Not of one that was intercepted: that is its protocol's to say.
  [[nodiscard]] static CloseReason reason_of(RelayEnd end) noexcept;
  // Denied by a stage that is not the policy.
  void deny(rules::Reason reason) noexcept;
  void count_refused_login(const std::string& user);
  // Whether a denied client is told so.
  [[nodiscard]] static bool is_told(const Judgement& judgement) noexcept;
  // Of a limit that counts from accept.
  [[nodiscard]] std::chrono::milliseconds time_left(std::chrono::milliseconds limit) const;
  // Unless it is open already.
  void open_client_stream();

  Worker& worker_;
  Accepted accepted_;

  SessionRecord record_;
  // Who the sender of a PROXY header says is calling; null where there is no header. Its ids are
  // record_.source's.
  std::unique_ptr<const proxy_protocol::ReceivedHeader> proxied_;
  std::optional<Place> place_;

  std::optional<Stream> client_;
  std::shared_ptr<BackendTls> backend_tls_;  // outlives the stream whose TLS it made
  std::optional<Stream> backend_;
  std::optional<Relay> relay_;

  std::optional<CloseReason> cut_;
  bool established_ = false;

 private:
  // What cut() must end besides the two streams.
  virtual void abort_dial() noexcept = 0;

  [[nodiscard]] static rules::Time now_by_the_clock();
  // Whether it came the way that the listener asks for: in the protocol that it speaks, with a
  // header of a trusted sender where one is required, and without where none is.
  [[nodiscard]] bool came_as_required(const config::Listener& listener) const noexcept;
  [[nodiscard]] bool is_sender_trusted() const noexcept;
  // By an interface that is another listener's device, or by another than the listener's own. Whose
  // network that is can then not be told.
  [[nodiscard]] bool came_by_another_device(const config::Listener& listener,
                                            const config::Configuration& configuration);
  void remember_header(proxy_protocol::ReceivedHeader header);
  // Asks PolicyInForce::decide with the facts known now: for all of the listener's servers as long
  // as the one meant is not known.
  [[nodiscard]] Judgement judge(const Snapshot& snapshot, rules::Time now);
  void remember(const Judgement& judgement, const Snapshot& snapshot);
  static void count_use(const ServerState& server, const rules::Decision& decision) noexcept;
  // Whether its backends refused this source so often that the gateway does too, for a while.
  [[nodiscard]] bool is_blocked(const ServerState& server) const;
  void count_bytes() noexcept;

  config::Protocol protocol_;
  std::chrono::steady_clock::time_point accepted_at_;

  // Which rule of which generation let it in; only ever compared, for the snapshot may be gone.
  std::uint64_t judged_generation_ = 0;
  const rules::Rule* judged_rule_ = nullptr;
  ServerMetrics* server_metrics_ = nullptr;  // of record_.server

  // The name of the interface it came by; asked for when a listener first has a device.
  std::optional<std::string> interface_;

  std::optional<Waiting> waiting_;  // for its PROXY header
  std::optional<AuditRoom> room_;
  std::uint64_t counted_in_ = 0;  // of the relay's bytes, what the metrics have already
  std::uint64_t counted_out_ = 0;
  bool concluded_ = false;
};

}  // namespace gatehouse
