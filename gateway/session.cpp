#include "gateway/session.h"

#include <algorithm>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <sys/socket.h>

#include "gateway/limits.h"
#include "gateway/net/deadline.h"
#include "gateway/net/socket_address.h"
#include "gateway/worker.h"

namespace gatehouse {

namespace {

rules::Time now_by_the_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

SessionId next_id(const Services& services) {
  return SessionId{services.next_session.fetch_add(1, std::memory_order_relaxed)};
}

CloseReason reason_of(RelayEnd end) noexcept {
  switch (end) {
    case RelayEnd::client_closed:
      return CloseReason::client_closed;
    case RelayEnd::backend_closed:
      return CloseReason::backend_closed;
    case RelayEnd::aborted:
      break;
  }
  return CloseReason::internal_error;  // run() knows why it was aborted
}

}  // namespace

Awaitable<void> serve(Worker& worker, Accepted accepted) {
  const Worker::Counted counted(worker);
  Session session(worker, std::move(accepted));
  co_await session.run();
}

Session::Session(Worker& worker, Accepted accepted)
    : worker_(worker),
      accepted_(std::move(accepted)),
      accepted_at_(std::chrono::steady_clock::now()) {
  record_.session = next_id(worker.services());
  record_.listener = accepted_.listener;
  record_.source.address = accepted_.peer.ip;
  record_.source.port = accepted_.peer.port;
  worker_.sessions().push_back(*this);
}

Session::~Session() {
  conclude(CloseReason::internal_error);
  worker_.sessions().erase(Worker::Sessions::s_iterator_to(*this));
}

Awaitable<void> Session::run() {
  const Stop stop = co_await stages();
  conclude(cut_.value_or(stop.reason));
  co_await say_goodbye(stop);
}

// The stages, in the order that is the security property. A stage that returns a Stop ends the
// session.
Awaitable<Session::Stop> Session::stages() {
  {
    const auto snapshot =
        worker_.snapshot();  // a reload must not take away what these stages are reading

    // Identity, and the first decision: before any TLS object exists or a byte is sent. The
    // listener leads to one server, so no fact is missing.
    const Judgement first = judge(*snapshot, now_by_the_clock());
    remember(first, *snapshot);
    if (first.decision.verdict != rules::Verdict::allow) {
      count_use(first);
      const bool say =
          first.listener != nullptr && first.listener->listener->on_deny == config::OnDeny::message;
      co_return Stop{CloseReason::denied,
                     say ? std::optional(mariadb::denied_at_accept(accepted_.peer.ip.to_string()))
                         : std::nullopt};
    }
    const ListenerState& listener = *first.listener;
    const ServerState& server = *first.server;
    const config::Limits& bounds = snapshot->configuration->limits;

    // Room in the audit, and the caps. Only a source that is allowed learns of either.
    room_ = worker_.services().audit.reserve();
    if (!room_) {
      co_return Stop{
          CloseReason::audit_unwritable,
          mariadb::session_failed(mariadb::before_greeting, mariadb::Failure::audit_unwritable,
                                  to_string(record_.session))};
    }
    place_ =
        worker_.services().places.take(bounds, {record_.source.network, record_.source.address},
                                       *server.sessions, server.server->max_sessions);
    if (!place_) {
      co_return Stop{CloseReason::too_many_sessions,
                     mariadb::too_many_connections(mariadb::before_greeting)};
    }
    worker_.services().metrics.handshakes.add();
    const Deadline deadline(worker_.executor(), bounds.handshake_timeout,
                            [this] { cut(CloseReason::handshake_timeout); });
    open_client_stream();

    // Dial: the decision is made, so the client can be shown the backend's own greeting.
    if (auto stop = co_await dial(server)) co_return *std::move(stop);
    // Preamble: the greeting out, the request for TLS in.
    if (auto stop = co_await login_->preamble(listener.listener->tls.required))
      co_return *std::move(stop);
    // TLS, on both legs at the same time.
    if (auto stop = co_await tls(listener, server)) co_return *std::move(stop);
    // Login: read, and not yet passed on.
    if (auto stop = co_await read_login()) co_return *std::move(stop);

    // The final decision: always, by the snapshot and the time of this moment.
    const Judgement final = judge(*worker_.snapshot(), now_by_the_clock());
    remember(final, *worker_.snapshot());
    count_use(final);
    if (final.decision.verdict != rules::Verdict::allow)
      co_return Stop{CloseReason::denied, std::nullopt};

    // The backend's turn: it accepts the login, or not.
    if (auto stop = co_await login_->exchange()) co_return *std::move(stop);
  }
  record_opened();
  co_return co_await relay();
}

Awaitable<std::optional<Session::Stop>> Session::dial(const ServerState& server) {
  const auto local = local_address(client_->socket().native_handle());
  const mariadb::ProxiedClient proxied{.source = {record_.source.address, record_.source.port},
                                       .destination = local.value_or(config::SocketAddress{})};
  dial_.emplace(server, proxied, backend_, worker_.services().log);
  auto dialed = co_await dial_->run();
  dial_.reset();
  const config::Backend& backend = server.server->backends[dialed.backend];
  backend_index_ = dialed.backend;
  record_.backend = backend.text;
  const std::string reference = to_string(record_.session);
  const auto failed = [&] {
    return mariadb::session_failed(mariadb::before_greeting, mariadb::Failure::backend_unreachable,
                                   reference);
  };
  switch (dialed.outcome) {
    case mariadb::DialOutcome::connected: {
      record_.backend_thread = dialed.greeting.thread_id;
      const bool is_private =
          server.tls != nullptr || std::holds_alternative<config::UnixBackend>(backend.where);
      login_.emplace(*client_, *backend_, std::move(dialed), is_private, reference);
      co_return std::nullopt;
    }
    case mariadb::DialOutcome::too_many_connections:
      co_return Stop{CloseReason::backend_unreachable,
                     mariadb::too_many_connections(mariadb::before_greeting)};
    case mariadb::DialOutcome::unreachable:
      co_return Stop{CloseReason::backend_unreachable, failed()};
    case mariadb::DialOutcome::untrusted:
      co_return Stop{CloseReason::backend_untrusted, failed()};
    case mariadb::DialOutcome::aborted:
      break;
  }
  co_return Stop{CloseReason::internal_error, std::nullopt};  // run() knows why it was aborted
}

Awaitable<std::optional<Session::Stop>> Session::tls(const ListenerState& listener,
                                                     const ServerState& server) {
  using namespace asio::experimental::awaitable_operators;  // NOLINT(google-build-using-namespace)
  const bool client_too = login_->client_wants_tls();
  if (client_too && server.tls) {
    auto [client, backend] = co_await (client_tls(listener) && backend_tls(server));
    co_return client ? std::move(client) : std::move(backend);
  }
  if (client_too) co_return co_await client_tls(listener);
  if (server.tls) co_return co_await backend_tls(server);
  co_return std::nullopt;
}

Awaitable<std::optional<Session::Stop>> Session::client_tls(const ListenerState& listener) {
  const auto started = std::chrono::steady_clock::now();
  if (co_await client_->handshake(listener.tls->accept()) != Io::ok) {
    worker_.services().log.debug("session {}: the client's TLS failed: {}",
                                 to_string(record_.session), client_->tls_error());
    co_return Stop{CloseReason::tls_failed, std::nullopt};
  }
  worker_.services().metrics.tls_handshake.observe(std::chrono::steady_clock::now() - started);
  TlsFacts facts = client_->tls_facts();
  record_.tls = AuditTls{.version = std::move(facts.version),
                         .cipher = std::move(facts.cipher),
                         .sni = std::move(facts.sni),
                         .client_subject = std::move(facts.client_subject),
                         .resumed = facts.resumed};
  co_return std::nullopt;
}

Awaitable<std::optional<Session::Stop>> Session::backend_tls(const ServerState& server) {
  bool late = false;
  const Deadline deadline(worker_.executor(), server.server->dial_timeout, [&] {
    late = true;
    backend_->abort();
  });
  backend_tls_ = server.tls;
  auto stop = co_await login_->backend_tls(backend_tls_->connect(*server.server, backend_index_));
  if (late) stop = login_->fail(CloseReason::backend_unreachable);
  if (stop && !cut_) {
    worker_.services().log.warning("server {}: backend {}: TLS failed: {}{}", record_.server,
                                   record_.backend,
                                   late ? "not done within dial_timeout" : backend_->tls_error(),
                                   mariadb::proxy_hint(*server.server));
  }
  co_return stop;
}

Awaitable<std::optional<Session::Stop>> Session::read_login() {
  mariadb::LoginFacts facts;
  auto stop = co_await login_->read_login(facts);
  record_.user = std::move(facts.user);
  record_.database = std::move(facts.database);
  record_.program = std::move(facts.program);
  co_return stop;
}

Awaitable<Session::Stop> Session::relay() {
  relay_.emplace(*client_, *backend_, worker_.scratch());
  co_return Stop{reason_of(co_await relay_->run()), std::nullopt};
}

Awaitable<void> Session::say_goodbye(Stop stop) {
  if (!client_) {
    // Refused at accept: nothing was read, so nothing is lost by closing behind the message.
    if (stop.message) {
      const auto bytes = stop.message->bytes();
      static_cast<void>(::send(accepted_.descriptor.get(), bytes.data(), bytes.size(),
                               MSG_DONTWAIT | MSG_NOSIGNAL));
    } else {
      const linger at_once{.l_onoff = 1, .l_linger = 0};
      ::setsockopt(accepted_.descriptor.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    co_return;
  }
  if (established_ && backend_) backend_->close();
  if (!client_->aborted() && (stop.message || stop.reason == CloseReason::backend_closed ||
                              stop.reason == CloseReason::login_refused)) {
    const Deadline deadline(worker_.executor(), limits::gentle_close, [this] { client_->abort(); });
    if (stop.message) co_await client_->write_all(stop.message->bytes());
    co_await client_->close_gently();
  }
  client_->close();
  if (login_ && backend_) {
    const Deadline deadline(worker_.executor(), limits::abandoned_login,
                            [this] { backend_->abort(); });
    co_await login_->finish_without_client();
  }
}

void Session::cut(CloseReason reason) noexcept {
  if (concluded_) return;  // what is left to say has its own short deadline
  if (!cut_) cut_ = reason;
  if (client_) client_->abort();
  if (dial_) dial_->abort();
  if (backend_) backend_->abort();
}

void Session::check(std::chrono::steady_clock::time_point steady_now, rules::Time now) {
  if (concluded_ || cut_) return;
  count_bytes();
  const Snapshot& snapshot = *worker_.snapshot();
  if (relay_ &&
      steady_now - relay_->last_activity() >= snapshot.configuration->limits.idle_timeout) {
    cut(CloseReason::idle_timeout);
    return;
  }
  if (record_.server.empty()) return;  // not judged yet
  const Judgement judgement = judge(snapshot, now);
  if (judgement.decision.verdict == rules::Verdict::allow) {
    const bool changed =
        snapshot.generation != judged_generation_ || judgement.decision.rule != judged_rule_;
    if (changed) remember(judgement, snapshot);
  } else if (!is_spared(judgement)) {
    cut(CloseReason::revoked);  // first: whatever happens below, it is over
    remember(judgement, snapshot);
  }
}

SessionRecord Session::record() const {
  SessionRecord record = record_;
  if (relay_) {
    record.bytes_in = relay_->bytes_in();
    record.bytes_out = relay_->bytes_out();
  }
  record.duration = std::chrono::steady_clock::now() - accepted_at_;
  return record;
}

Session::Judgement Session::judge(const Snapshot& snapshot, rules::Time now) const {
  Judgement judgement;
  judgement.identity.address = accepted_.peer.ip;
  judgement.listener = snapshot.find_listener(accepted_.listener);
  // A way in that is gone lets nobody in, nor lets anybody stay (decisions/0003).
  if (judgement.listener == nullptr) return judgement;
  const auto& servers = judgement.listener->servers;
  const auto meant = std::find_if(servers.begin(), servers.end(), [&](const ServerState* server) {
    return record_.server.empty() || server->server->name == record_.server;
  });
  if (meant == servers.end()) return judgement;
  judgement.server = *meant;
  judgement.identity = snapshot.configuration->networks.identify(
      accepted_.listener, accepted_.peer.ip, rules::HeaderIds{});
  judgement.decision = judgement.server->policy->decide(
      {.address = judgement.identity.address, .arrival = judgement.identity.arrival, .now = now});
  return judgement;
}

void Session::remember(const Judgement& judgement, const Snapshot& snapshot) {
  judged_generation_ = snapshot.generation;
  judged_rule_ = judgement.decision.rule;
  record_.set_decision(judgement.decision, snapshot.generation);
  if (judgement.server == nullptr) return;
  record_.server = judgement.server->server->name;
  server_metrics_ = judgement.server->metrics;
  const auto& [address, arrival] = judgement.identity;
  record_.source.address = address;
  if (arrival.way == rules::Arrival::Way::network) {
    const rules::NetworkMap& networks = snapshot.configuration->networks;
    record_.source.network = networks[arrival.network].name;
    const rules::Subnet* subnet = networks.subnet(arrival.network, address);
    record_.source.subnet = subnet != nullptr ? subnet->name : std::string();
  }
}

void Session::count_use(const Judgement& judgement) noexcept {
  if (judgement.decision.rule == nullptr) return;
  const ServerState& server = *judgement.server;
  server.rule_uses[server.policy->number_of(*judgement.decision.rule)]->used(now_by_the_clock());
}

bool Session::is_spared(const Judgement& judgement) const {
  return established_ && judgement.server != nullptr &&
         judgement.decision.reason == rules::Reason::no_matching_rule &&
         judgement.server->policy->spec().on_revoke == rules::OnRevoke::keep;
}

void Session::open_client_stream() {
  const asio::generic::stream_protocol protocol(accepted_.peer.ip.is_v4() ? AF_INET : AF_INET6,
                                                IPPROTO_TCP);
  client_.emplace(Socket(worker_.executor(), protocol, accepted_.descriptor.get()));
  static_cast<void>(accepted_.descriptor.release());
}

void Session::record_opened() {
  login_.reset();
  established_ = true;
  place_->established();
  Metrics& metrics = worker_.services().metrics;
  metrics.handshakes.subtract();
  metrics.sessions_open.add();
  metrics.sessions_opened.add();
  metrics.establishment.observe(std::chrono::steady_clock::now() - accepted_at_);
  server_metrics_->sessions.add();
  worker_.services().audit.opened(*room_, record_);
}

void Session::count_bytes() noexcept {
  if (!relay_) return;
  Metrics& metrics = worker_.services().metrics;
  metrics.bytes(Direction::in)
      .add(relay_->bytes_in() - std::exchange(counted_in_, relay_->bytes_in()));
  metrics.bytes(Direction::out)
      .add(relay_->bytes_out() - std::exchange(counted_out_, relay_->bytes_out()));
}

void Session::conclude(CloseReason reason) noexcept {
  if (std::exchange(concluded_, true)) return;
  Metrics& metrics = worker_.services().metrics;
  count_bytes();
  if (established_) {
    metrics.sessions_open.subtract();
    server_metrics_->sessions.subtract();
  } else if (place_) {
    metrics.handshakes.subtract();
  }
  if (relay_) {
    record_.bytes_in = relay_->bytes_in();
    record_.bytes_out = relay_->bytes_out();
  }
  record_.duration = std::chrono::steady_clock::now() - accepted_at_;
  record_.close_reason = reason;
  if (reason == CloseReason::denied) {
    if (server_metrics_ != nullptr) {
      server_metrics_->denied[static_cast<std::size_t>(*record_.reason)].add();
    }
    worker_.services().audit.denied(std::move(record_));
    return;
  }
  metrics.sessions_closed(reason).add();
  if (room_) worker_.services().audit.closed(*room_, std::move(record_));
}

}  // namespace gatehouse
