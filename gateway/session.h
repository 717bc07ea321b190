// One client connection, from accept to its audit record.
//
// The order of its stages is the security property: it reads top to bottom in Session::stages().
// Everything a session has is owned here and lives in the coroutine that serves it; it never leaves
// its worker.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/intrusive/list_hook.hpp>

#include "config/configuration.h"
#include "gateway/close_reason.h"
#include "gateway/mariadb/backend_login.h"
#include "gateway/mariadb/change_user.h"
#include "gateway/mariadb/client_login.h"
#include "gateway/mariadb/command_watch.h"
#include "gateway/mariadb/dial.h"
#include "gateway/net/descriptor.h"
#include "gateway/net/relay.h"
#include "gateway/net/tls_stream.h"
#include "gateway/observe/audit_event.h"
#include "gateway/observe/audit_log.h"
#include "gateway/places.h"
#include "gateway/proxy_protocol/received_header.h"
#include "gateway/snapshot.h"
#include "gateway/thread_ids.h"
#include "rules/policy.h"

namespace gatehouse {

class Worker;

// A connection as accept(2) gave it: nothing is known and nothing is allocated for it yet.
struct Accepted {
  Descriptor descriptor;
  config::SocketAddress peer;
  std::string listener;
};

class Session : public boost::intrusive::list_base_hook<> {
 public:
  Session(Worker& worker, Accepted accepted);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  // Whatever happened, an exception too: the audit closes the session here if nothing else has.
  ~Session();

  // All of it. Returns when nothing is left to do.
  Awaitable<void> run();

  // --- by the worker, between the session's own steps
  // ----------------------------------------------

  // Ends the session wherever it is; the first reason counts.
  void cut(CloseReason reason) noexcept;
  // Nobody new is let in: ends it if it is not yet known whose it is.
  void stop_waiting() noexcept {
    if (waiting_) cut(CloseReason::drained);
  }
  // Judges it by the worker's snapshot and the time, and looks at its idle time.
  void check(std::chrono::steady_clock::time_point steady_now, rules::Time now);

  // Recorded as opened and not yet as closed.
  [[nodiscard]] bool is_established() const noexcept { return established_ && !concluded_; }
  // As of now, bytes and duration included.
  [[nodiscard]] SessionRecord record() const;

 private:
  using Stop = mariadb::Stop;

  // What a snapshot says of this source. Whatever is missing makes it a denial. The pointers are
  // the snapshot's.
  struct Judgement {
    rules::Decision decision;
    rules::Identity identity;
    const ListenerState* listener = nullptr;
    const ServerState* server = nullptr;
  };

  // Of a listener that leads to several servers: what is known of the client's way before and after
  // its login. Allocated for such sessions only.
  struct Routed {
    std::uint32_t greeted_thread = 0;
    std::uint64_t capabilities = 0;  // in force between client and backend
    bool backend_is_private = false;
    std::optional<ThreadIds::Entry> thread;
    std::optional<mariadb::CommandWatch> commands;
  };

  Awaitable<Stop> stages();
  [[nodiscard]] bool needs_proxy_header() const noexcept;
  Awaitable<std::optional<Stop>> read_proxy_header();
  [[nodiscard]] std::optional<Stop> take_place(const config::Limits& bounds,
                                               const ListenerState& listener);
  [[nodiscard]] std::optional<Stop> take_place_at(const ServerState& server);
  Awaitable<std::optional<Stop>> dial(const ServerState& server);
  Awaitable<std::optional<Stop>> preamble(const ListenerState& listener);
  Awaitable<std::optional<Stop>> tls(const ListenerState& listener, const ServerState* dialed);
  Awaitable<std::optional<Stop>> client_tls(const ListenerState& listener);
  Awaitable<std::optional<Stop>> backend_tls(const ServerState& server);
  Awaitable<std::optional<Stop>> read_login();
  [[nodiscard]] std::optional<Stop> judge_user(std::string_view user,
                                               std::string_view plugin) const;
  [[nodiscard]] std::optional<Stop> find_server(const ListenerState& listener);
  Awaitable<std::optional<Stop>> exchange();
  void watch_commands();
  Awaitable<Stop> relay();
  Awaitable<std::optional<Stop>> change_user();
  Awaitable<std::optional<Stop>> log_in_again(const mariadb::ChangeUser& change, std::string user);
  Awaitable<void> say_goodbye(Stop stop);
  void say_at_accept(const Stop& stop) noexcept;

  [[nodiscard]] static rules::Time now_by_the_clock();
  // Whether it came the way that the listener asks for: with a header of a trusted sender where one
  // is required, and without where none is.
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
  // Whether the source may come in now: judged, not blocked, and remembered.
  [[nodiscard]] Judgement decide(const Snapshot& snapshot);
  void remember(const Judgement& judgement, const Snapshot& snapshot);
  // For `rules`: once a session, by the decision that let it in or kept it out.
  static void count_use(const Judgement& judgement) noexcept;
  static void count_use(const ServerState& server, const rules::Decision& decision) noexcept;
  // `on_revoke: keep` lets an established session be whose allow rule was removed, and nothing
  // else.
  [[nodiscard]] bool is_spared(const Judgement& judgement) const;
  // Denied by a stage that is not the policy.
  void deny(rules::Reason reason) noexcept;
  // Whether its backends refused this source so often that the gateway does too, for a while.
  [[nodiscard]] bool is_blocked(const ServerState& server) const;
  void count_refused_login(const std::string& user);
  // What a denied client is told, if anything.
  [[nodiscard]] std::optional<mariadb::Refusal> refusal_at_accept(const Judgement& judgement) const;
  [[nodiscard]] std::optional<mariadb::Refusal> routed_refusal(const ListenerState& listener) const;
  // Where the next packet to the client would stand.
  [[nodiscard]] mariadb::Moment moment() const noexcept;
  // Of a limit that counts from accept.
  [[nodiscard]] std::chrono::milliseconds time_left(std::chrono::milliseconds limit) const;
  // Unless it is open already.
  void open_client_stream();
  void record_opened();
  // Under another user. False: the audit has no room for it.
  [[nodiscard]] bool record_opened_again();
  void count_bytes() noexcept;
  void conclude(CloseReason reason) noexcept;

  Worker& worker_;
  Accepted accepted_;
  std::chrono::steady_clock::time_point accepted_at_;

  SessionRecord record_;
  // Which rule of which generation let it in; only ever compared, for the snapshot may be gone.
  std::uint64_t judged_generation_ = 0;
  const rules::Rule* judged_rule_ = nullptr;
  ServerMetrics* server_metrics_ = nullptr;  // of record_.server

  // Who the sender of a PROXY header says is calling; null where there is no header. Its ids are
  // record_.source's.
  std::unique_ptr<const proxy_protocol::ReceivedHeader> proxied_;

  // The name of the interface it came by; asked for when a listener first has a device.
  std::optional<std::string> interface_;

  std::optional<Waiting> waiting_;  // for its PROXY header
  std::optional<Place> place_;
  std::optional<AuditRoom> room_;

  std::optional<Stream> client_;
  std::shared_ptr<BackendTls> backend_tls_;  // outlives the stream whose TLS it made
  std::optional<Stream> backend_;
  std::optional<mariadb::Dial> dial_;  // only while there is one
  bool backend_is_local_ = false;      // behind a unix socket
  std::size_t backend_index_ = 0;      // among the server's, of the last one dialled
  // Both until the login is done.
  std::optional<mariadb::ClientLogin> client_login_;
  std::optional<mariadb::BackendLogin> backend_login_;
  std::unique_ptr<Routed> routed_;  // null on a listener that leads to one server
  std::optional<Relay> relay_;
  std::uint64_t counted_in_ = 0;  // of the relay's bytes, what the metrics have already
  std::uint64_t counted_out_ = 0;

  std::optional<CloseReason> cut_;
  bool established_ = false;
  bool concluded_ = false;
};

// What a worker spawns for each connection.
Awaitable<void> serve(Worker& worker, Accepted accepted);

}  // namespace gatehouse
