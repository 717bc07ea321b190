#include "gateway/mariadb_session.h"

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

MariadbSession::MariadbSession(Worker& worker, Accepted accepted)
    : Session(worker, std::move(accepted), config::Protocol::mariadb) {}

Awaitable<bool> MariadbSession::arrive() {
  const auto stop = co_await stages();
  if (stop) co_await over(*stop);
  co_return !stop;
}

// The stages, in the order that is the security property. A stage that returns a Stop ends the
// session.
Awaitable<std::optional<MariadbSession::Stop>> MariadbSession::stages() {
  // PROXY header: only where the listener requires one, and only from its senders.
  if (needs_proxy_header()) {
    if (const auto reason = co_await read_proxy_header()) co_return Stop{*reason, std::nullopt};
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
    if (const auto reason = take_place(bounds, listener)) co_return stop_for(*reason);
    if (first.server != nullptr) {
      if (const auto reason = take_place_at(*first.server)) co_return stop_for(*reason);
    }
    const Deadline deadline(worker_.executor(), time_left(bounds.handshake_timeout),
                            [this] { cut(CloseReason::handshake_timeout); });
    open_client_stream();
    client_login_ = std::make_unique<mariadb::ClientLogin>(*client_, to_string(record_.session));

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
      if (const auto reason = take_place_at(*final.server)) co_return stop_for(*reason);
      if (auto stop = co_await dial(*final.server)) co_return *std::move(stop);
    }
    // The backend's turn: it accepts the login, or not.
    if (auto stop = co_await exchange()) co_return *std::move(stop);
  }
  client_login_.reset();
  backend_login_.reset();
  record_opened();
  begin_relay();
  co_return std::nullopt;
}

Awaitable<std::optional<MariadbSession::Stop>> MariadbSession::dial(const ServerState& server) {
  const auto local = local_address(client_->socket().native_handle());
  const mariadb::ProxiedClient proxied{
      .source = {record_.source.address, record_.source.port},
      .destination = proxied_ ? proxied_->destination : local.value_or(config::SocketAddress{})};
  std::optional<mariadb::LoginPrefix> start_tls;
  if (routed_) {
    start_tls = client_login_->routed_prefix();
    backend_tls_ = server.tls;
  }
  dial_ =
      std::make_unique<mariadb::Dial>(server, proxied, backend_, worker_.services().log, start_tls);
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
      backend_login_ = std::make_unique<mariadb::BackendLogin>(*backend_, *client_login_,
                                                               std::move(dialed), is_private);
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
        backend_login_ = std::make_unique<mariadb::BackendLogin>(*backend_, *client_login_,
                                                                 std::move(dialed), false);
      }
      break;
  }
  co_return Stop{CloseReason::internal_error, std::nullopt};  // over() knows why it was aborted
}

Awaitable<std::optional<MariadbSession::Stop>> MariadbSession::preamble(
    const ListenerState& listener) {
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

Awaitable<std::optional<MariadbSession::Stop>> MariadbSession::tls(const ListenerState& listener,
                                                                   const ServerState* dialed) {
  using namespace asio::experimental::awaitable_operators;  // NOLINT(google-build-using-namespace)
  const bool client_too = client_login_->wants_tls();
  const bool backend_too = dialed != nullptr && dialed->tls != nullptr;
  if (client_too && backend_too) {
    auto [client, backend] = co_await (client_tls(listener) && backend_tls(*dialed));
    if (client) co_return stop_for(*client);
    co_return backend;
  }
  if (client_too) {
    const auto client = co_await client_tls(listener);
    co_return client ? std::optional(stop_for(*client)) : std::nullopt;
  }
  if (backend_too) co_return co_await backend_tls(*dialed);
  co_return std::nullopt;
}

Awaitable<std::optional<MariadbSession::Stop>> MariadbSession::backend_tls(
    const ServerState& server) {
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

Awaitable<std::optional<MariadbSession::Stop>> MariadbSession::read_login() {
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
std::optional<MariadbSession::Stop> MariadbSession::judge_user(std::string_view user,
                                                               std::string_view plugin) const {
  const std::string& own = worker_.services().own_user;
  if (backend_is_local_ && !own.empty() && user == own) {
    // An account IDENTIFIED VIA unix_socket would take the gateway's word for the client's.
    return client_login_->fail(CloseReason::backend_untrusted, mariadb::Failure::gateways_own_user);
  }
  return backend_login_->judge_plugin(plugin);
}

std::optional<MariadbSession::Stop> MariadbSession::find_server(const ListenerState& listener) {
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

Awaitable<std::optional<MariadbSession::Stop>> MariadbSession::exchange() {
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

MariadbSession::Stop MariadbSession::stop_for(CloseReason reason) const {
  if (reason == CloseReason::audit_unwritable) {
    return {reason, mariadb::session_failed(moment(), mariadb::Failure::audit_unwritable,
                                            to_string(record_.session))};
  }
  if (reason == CloseReason::too_many_sessions) {
    return {reason, mariadb::too_many_connections(moment())};
  }
  return {reason, std::nullopt};
}

Awaitable<void> MariadbSession::over(const Stop& stop) {
  conclude(cut_.value_or(stop.reason));
  const Bytes message = stop.message ? stop.message->bytes() : Bytes();
  if (!client_login_ && !established_) {
    // Refused at accept, or behind the header of a load balancer.
    say_at_accept(message);
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
    co_await close_gently(message);
  }
  client_->close();
  if (backend_login_ && !established_) {
    const Deadline deadline(worker_.executor(), limits::abandoned_login,
                            [this] { backend_->abort(); });
    co_await backend_login_->finish_without_client();
  }
}

void MariadbSession::abort_dial() noexcept {
  if (dial_) dial_->abort();
}

std::optional<mariadb::Refusal> MariadbSession::refusal_at_accept(
    const Judgement& judgement) const {
  if (!is_told(judgement)) return std::nullopt;
  return mariadb::denied_at_accept(record_.source.address.to_string());
}

std::optional<mariadb::Refusal> MariadbSession::routed_refusal(
    const ListenerState& listener) const {
  if (!routed_ || listener.listener->on_deny != config::OnDeny::message) return std::nullopt;
  return mariadb::denied_after_login(moment().sequence, record_.source.address.to_string());
}

mariadb::Moment MariadbSession::moment() const noexcept {
  return client_login_ ? client_login_->moment() : mariadb::before_greeting;
}

}  // namespace gatehouse
