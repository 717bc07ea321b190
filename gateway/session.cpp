#include "gateway/session.h"

#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <sys/random.h>
#include <sys/socket.h>

#include "gateway/assert.h"
#include "gateway/backends.h"
#include "gateway/limits.h"
#include "gateway/mariadb/own_greeting.h"
#include "gateway/mariadb/reply.h"
#include "gateway/mariadb/server_name.h"
#include "gateway/net/deadline.h"
#include "gateway/net/socket_address.h"
#include "gateway/worker.h"

namespace gatehouse {

namespace {

SessionId next_id(const Services& services) {
  return SessionId{services.next_session.fetch_add(1, std::memory_order_relaxed)};
}

// Text of MariaDB's own making looks like this. Nobody answers it: the backend's is what counts.
std::array<std::uint8_t, mariadb::OwnGreeting::scramble_size> random_scramble() {
  std::array<std::uint8_t, mariadb::OwnGreeting::scramble_size> scramble{};
  GATEHOUSE_ASSERT(::getrandom(scramble.data(), scramble.size(), 0) ==
                   static_cast<ssize_t>(scramble.size()));
  constexpr std::uint8_t first = '!';
  constexpr std::uint8_t count = '~' - first + 1;
  for (std::uint8_t& byte : scramble) byte = static_cast<std::uint8_t>(first + byte % count);
  return scramble;
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
  // PROXY header: only where the listener requires one, and only from its senders.
  if (needs_proxy_header()) {
    if (auto stop = co_await read_proxy_header()) co_return *std::move(stop);
  }
  {
    // A reload must not take away what these stages are reading.
    const auto snapshot = worker_.snapshot();

    // Identity, and the first decision: before any TLS object exists or a byte is sent. Where the
    // listener leads to one server, no fact is missing; where it leads to several, the server is.
    const Judgement first = decide(*snapshot);
    const bool server_is_missing = first.decision.verdict == rules::Verdict::undecided &&
                                   first.listener != nullptr && first.listener->is_routed();
    if (first.decision.verdict != rules::Verdict::allow && !server_is_missing) {
      count_use(first);
      co_return Stop{CloseReason::denied, refusal_at_accept(first)};
    }
    const ListenerState& listener = *first.listener;
    const config::Limits& bounds = snapshot->configuration->limits;

    // Room in the audit, and the caps. Only a source that is allowed learns of either.
    if (auto stop = take_place(bounds, listener)) co_return *std::move(stop);
    if (first.server != nullptr) {
      if (auto stop = take_place_at(*first.server)) co_return *std::move(stop);
    }
    const Deadline deadline(worker_.executor(), time_left(bounds.handshake_timeout),
                            [this] { cut(CloseReason::handshake_timeout); });
    open_client_stream();
    client_login_.emplace(*client_, to_string(record_.session));

    // Dial early, where the decision is made: the client can be shown the backend's own greeting.
    if (first.server != nullptr) {
      if (auto stop = co_await dial(*first.server)) co_return *std::move(stop);
    }
    // Preamble: the greeting out, the request for TLS in.
    if (auto stop = co_await preamble(listener)) co_return *std::move(stop);
    // TLS, on both legs at the same time where there are two.
    if (auto stop = co_await tls(listener, first.server)) co_return *std::move(stop);
    // Login: read, and not yet passed on.
    if (auto stop = co_await read_login()) co_return *std::move(stop);
    // Server: the listener's only one, or the one that the login means.
    if (auto stop = find_server(listener)) co_return *std::move(stop);

    // The final decision: always, by the snapshot and the time of this moment.
    const auto latest = worker_.snapshot();
    const Judgement final = decide(*latest);
    count_use(final);
    if (final.decision.verdict != rules::Verdict::allow)
      co_return Stop{CloseReason::denied, routed_refusal(listener)};

    // Dial late, where only now it is known whom.
    if (routed_) {
      if (auto stop = take_place_at(*final.server)) co_return *std::move(stop);
      if (auto stop = co_await dial(*final.server)) co_return *std::move(stop);
    }
    // The backend's turn: it accepts the login, or not.
    if (auto stop = co_await exchange()) co_return *std::move(stop);
  }
  record_opened();
  co_return co_await relay();
}

std::optional<Session::Stop> Session::take_place(const config::Limits& bounds,
                                                 const ListenerState& listener) {
  room_ = worker_.services().audit.reserve();
  if (!room_) {
    return Stop{
        CloseReason::audit_unwritable,
        mariadb::session_failed(mariadb::before_greeting, mariadb::Failure::audit_unwritable,
                                to_string(record_.session))};
  }
  if (waiting_) worker_.services().metrics.handshakes.subtract();
  waiting_.reset();
  auto taken = worker_.services().places.take(
      bounds, {record_.source.network, record_.source.address}, *listener.handshakes);
  if (const Cap* reached = std::get_if<Cap>(&taken)) {
    record_.bound = to_string(*reached);
    return Stop{CloseReason::too_many_sessions,
                mariadb::too_many_connections(mariadb::before_greeting)};
  }
  place_ = std::get<Place>(std::move(taken));
  worker_.services().metrics.handshakes.add();
  return std::nullopt;
}

std::optional<Session::Stop> Session::take_place_at(const ServerState& server) {
  if (place_->take_server(*server.sessions, server.server->max_sessions)) return std::nullopt;
  record_.bound = to_string(Cap::max_sessions);
  return Stop{CloseReason::too_many_sessions, mariadb::too_many_connections(moment())};
}

Awaitable<std::optional<Session::Stop>> Session::dial(const ServerState& server) {
  const auto local = local_address(client_->socket().native_handle());
  const mariadb::ProxiedClient proxied{
      .source = {record_.source.address, record_.source.port},
      .destination = proxied_ ? proxied_->destination : local.value_or(config::SocketAddress{})};
  std::optional<mariadb::LoginPrefix> start_tls;
  if (routed_) {
    start_tls = client_login_->routed_prefix();
    backend_tls_ = server.tls;
  }
  dial_.emplace(server, proxied, backend_, worker_.services().log, start_tls);
  auto dialed = co_await dial_->run();
  dial_.reset();
  const config::Backend& backend = server.server->backends[dialed.backend];
  backend_index_ = dialed.backend;
  record_.backend = backend.text;
  switch (dialed.outcome) {
    case mariadb::DialOutcome::connected: {
      record_.backend_thread = dialed.greeting.thread_id;
      if (const auto ours = local_address(backend_->socket().native_handle())) {
        record_.backend_local_port = ours->port;
      }
      backend_is_local_ = std::holds_alternative<config::UnixBackend>(backend.where);
      const bool is_private = server.tls != nullptr || backend_is_local_;
      if (routed_) routed_->backend_is_private = is_private;
      backend_login_.emplace(*backend_, *client_login_, std::move(dialed), is_private);
      co_return std::nullopt;
    }
    case mariadb::DialOutcome::too_many_connections:
      co_return Stop{CloseReason::backend_unreachable, mariadb::too_many_connections(moment())};
    case mariadb::DialOutcome::unreachable:
      co_return client_login_->fail(CloseReason::backend_unreachable);
    case mariadb::DialOutcome::untrusted:
      co_return client_login_->fail(CloseReason::backend_untrusted);
    case mariadb::DialOutcome::aborted:
      // One that has greeted waits for a login, which must be finished.
      if (!dialed.greeting.server_version.empty()) {
        backend_login_.emplace(*backend_, *client_login_, std::move(dialed), false);
      }
      break;
  }
  co_return Stop{CloseReason::internal_error, std::nullopt};  // run() knows why it was aborted
}

Awaitable<std::optional<Session::Stop>> Session::preamble(const ListenerState& listener) {
  const bool tls_required = listener.listener->tls.required;
  if (!listener.is_routed()) {
    // The client would send the greeting's plugin its password before anybody could say no.
    if (auto stop = backend_login_->judge_plugin(backend_login_->greeting().plugin)) co_return stop;
    const mariadb::Packet greeting = backend_login_->take_greeting();
    co_return co_await client_login_->preamble(
        greeting.bytes(), backend_login_->greeting().capabilities, tls_required);
  }
  routed_ = std::make_unique<Routed>();
  routed_->greeted_thread = worker_.services().thread_ids.next();
  const mariadb::CommonGreeting common = common_greeting(listener);
  std::vector<std::uint8_t> packet;
  mariadb::append_own_greeting(packet, {.server_version = common.server_version,
                                        .thread_id = routed_->greeted_thread,
                                        .capabilities = common.capabilities,
                                        .charset = common.charset,
                                        .scramble = random_scramble()});
  co_return co_await client_login_->preamble(packet, common.capabilities, tls_required);
}

Awaitable<std::optional<Session::Stop>> Session::tls(const ListenerState& listener,
                                                     const ServerState* dialed) {
  using namespace asio::experimental::awaitable_operators;  // NOLINT(google-build-using-namespace)
  const bool client_too = client_login_->wants_tls();
  const bool backend_too = dialed != nullptr && dialed->tls != nullptr;
  if (client_too && backend_too) {
    auto [client, backend] = co_await (client_tls(listener) && backend_tls(*dialed));
    co_return client ? std::move(client) : std::move(backend);
  }
  if (client_too) co_return co_await client_tls(listener);
  if (backend_too) co_return co_await backend_tls(*dialed);
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
  auto stop =
      co_await backend_login_->start_tls(backend_tls_->connect(*server.server, backend_index_));
  if (late) stop = client_login_->fail(CloseReason::backend_unreachable);
  if (stop && !cut_) {
    server.backends[backend_index_]->failed();
    worker_.services().log.warning("server {}: backend {}: TLS failed: {}{}", record_.server,
                                   record_.backend,
                                   late ? "not done within dial_timeout" : backend_->tls_error(),
                                   mariadb::proxy_hint(*server.server));
  }
  co_return stop;
}

Awaitable<std::optional<Session::Stop>> Session::read_login() {
  auto stop = co_await client_login_->read();
  if (stop) co_return stop;
  const mariadb::Login& login = client_login_->login();
  record_.user = login.user;
  record_.database = login.database;
  record_.program =
      login.attribute("program_name").value_or(login.attribute("_client_name").value_or(""));
  if (backend_login_) {
    const std::string_view plugin = login.plugin.value_or(backend_login_->greeting().plugin);
    if (!mariadb::may_answer(plugin, login.auth.size())) co_return client_login_->malformed();
    co_return judge_user(login.user, plugin);
  }
  co_return std::nullopt;
}

// What this client must not say to the backend that the gateway has dialled for it.
std::optional<Session::Stop> Session::judge_user(std::string_view user,
                                                 std::string_view plugin) const {
  const std::string& own = worker_.services().own_user;
  if (backend_is_local_ && !own.empty() && user == own) {
    // An account IDENTIFIED VIA unix_socket would take the gateway's word for the client's.
    return client_login_->fail(CloseReason::backend_untrusted, mariadb::Failure::gateways_own_user);
  }
  return backend_login_->judge_plugin(plugin);
}

std::optional<Session::Stop> Session::find_server(const ListenerState& listener) {
  if (!routed_) return std::nullopt;
  const mariadb::Login& login = client_login_->login();
  const std::string_view sni = record_.tls ? std::string_view(record_.tls->sni) : "";
  const auto meant = mariadb::find_meant_server(login.user, login.attribute("_server_host"), sni,
                                                listener.server_names);
  record_.user = meant.user;
  using Outcome = mariadb::MeantServer::Outcome;
  if (meant.outcome == Outcome::named) {
    record_.server = listener.server_names[meant.index];
    return std::nullopt;
  }
  if (meant.outcome == Outcome::unnamed && listener.server_names.size() == 1) {
    record_.server = listener.server_names.front();
    return std::nullopt;
  }
  deny(rules::Reason::unknown_server);
  return Stop{CloseReason::denied, routed_refusal(listener)};
}

Awaitable<std::optional<Session::Stop>> Session::exchange() {
  mariadb::ExchangeTerms terms;
  const std::string_view plugin = client_login_->login().plugin.value_or("");
  if (routed_) {
    if (auto stop = judge_user(record_.user, plugin)) co_return stop;
    if (auto stop = backend_login_->judge_capabilities()) co_return stop;
    terms = {.connection_id = backend_login_->greeting().thread_id, .switch_due = true};
    routed_->capabilities = client_login_->capabilities();
    if (auto stop = co_await backend_login_->send_routed_login(record_.user)) co_return stop;
  } else {
    if (auto stop = co_await backend_login_->send_login(plugin)) co_return stop;
  }
  auto stop = co_await backend_login_->exchange(terms);
  if (backend_login_->refused_authentication()) count_refused_login(record_.user);
  if (!stop && routed_) watch_commands();
  co_return stop;
}

Awaitable<void> Session::say_goodbye(Stop stop) {
  if (!client_login_ && !established_) {
    // Refused at accept, or behind the header of a load balancer: nothing is waited for, so that
    // whoever comes however often holds nothing.
    say_at_accept(stop);
    co_return;
  }
  if (established_ && backend_) {
    // Without close_notify: MariaDB takes unread bytes for a sign that its client lives, and lets a
    // statement of one that is gone wait on.
    boost::system::error_code ignored;
    backend_->socket().close(ignored);
  }
  if (!client_->aborted() && (stop.message || stop.reason == CloseReason::backend_closed ||
                              stop.reason == CloseReason::login_refused)) {
    const Deadline deadline(worker_.executor(), limits::gentle_close, [this] { client_->abort(); });
    if (stop.message) co_await client_->write_all(stop.message->bytes());
    co_await client_->close_gently();
  }
  client_->close();
  if (backend_login_ && !established_) {
    const Deadline deadline(worker_.executor(), limits::abandoned_login,
                            [this] { backend_->abort(); });
    co_await backend_login_->finish_without_client();
  }
}

void Session::say_at_accept(const Stop& stop) noexcept {
  const int socket = client_ ? client_->socket().native_handle() : accepted_.descriptor.get();
  if (stop.message) {
    const auto bytes = stop.message->bytes();
    static_cast<void>(::send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  } else if (!client_) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  if (!client_) return;
  // What came behind the header and is unread would make a reset of the close, which would take the
  // message with it.
  std::array<std::uint8_t, 4096> discarded{};
  for (int count = 0; count < limits::discards_at_accept; ++count) {
    if (::recv(socket, discarded.data(), discarded.size(), MSG_DONTWAIT) <= 0) break;
  }
  client_->close();
}

void Session::cut(CloseReason reason) noexcept {
  if (concluded_) return;  // what is left to say has its own short deadline
  if (!cut_) cut_ = reason;
  if (client_) client_->abort();
  if (dial_) dial_->abort();
  if (backend_) backend_->abort();
}

std::optional<mariadb::Refusal> Session::refusal_at_accept(const Judgement& judgement) const {
  if (judgement.listener == nullptr ||
      judgement.listener->listener->on_deny != config::OnDeny::message) {
    return std::nullopt;
  }
  return mariadb::denied_at_accept(record_.source.address.to_string());
}

std::optional<mariadb::Refusal> Session::routed_refusal(const ListenerState& listener) const {
  if (!routed_ || listener.listener->on_deny != config::OnDeny::message) return std::nullopt;
  return mariadb::denied_after_login(moment().sequence, record_.source.address.to_string());
}

mariadb::Moment Session::moment() const noexcept {
  return client_login_ ? client_login_->moment() : mariadb::before_greeting;
}

std::chrono::milliseconds Session::time_left(std::chrono::milliseconds limit) const {
  const auto spent =
      std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - accepted_at_);
  return std::max(limit - spent, std::chrono::milliseconds(0));
}

void Session::open_client_stream() {
  if (client_) return;
  const asio::generic::stream_protocol protocol(accepted_.peer.ip.is_v4() ? AF_INET : AF_INET6,
                                                IPPROTO_TCP);
  client_.emplace(Socket(worker_.executor(), protocol, accepted_.descriptor.get()));
  static_cast<void>(accepted_.descriptor.release());
}

}  // namespace gatehouse
