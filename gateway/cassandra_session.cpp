#include "gateway/cassandra_session.h"

#include <array>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <sys/socket.h>

#include "gateway/cassandra/own_requests.h"
#include "gateway/cassandra/response.h"
#include "gateway/cassandra/ring_reader.h"
#include "gateway/limits.h"
#include "gateway/net/deadline.h"
#include "gateway/net/socket_address.h"
#include "gateway/net/tls_record.h"
#include "gateway/net/would_block.h"
#include "gateway/worker.h"

namespace gatehouse {

namespace {

using cassandra::FrameIo;
namespace error_code = cassandra::error_code;

CloseReason reason_of_unread(FrameIo io) noexcept {
  const bool is_gone = io == FrameIo::end || io == FrameIo::failed || io == FrameIo::aborted;
  return is_gone ? CloseReason::client_closed : CloseReason::login_malformed;
}

}  // namespace

CassandraSession::CassandraSession(Worker& worker, Accepted accepted)
    : Session(worker, std::move(accepted), config::Protocol::cassandra),
      conversation_(view_, worker.conversation_buffers()) {}

Awaitable<bool> CassandraSession::arrive() {
  const auto stop = co_await stages();
  if (stop) co_await over(*stop);
  co_return !stop;
}

// The stages, in the order that is the security property. A stage that returns a Stop ends the
// session.
Awaitable<CassandraSession::Outcome> CassandraSession::stages() {
  // PROXY header: only where the listener requires one, and only from its senders.
  if (needs_proxy_header()) {
    if (const auto reason = co_await read_proxy_header()) co_return Stop{.reason = *reason};
  }
  {
    // A reload must not take away what these stages are reading.
    const auto snapshot = worker_.snapshot();

    // Identity, and the first decision: before any TLS object exists or a byte is sent. The
    // listener leads to one server: no fact is missing.
    const Judgement first = decide(*snapshot);
    if (first.decision.verdict != rules::Verdict::allow) {
      count_use(first);
      co_return denied(first);
    }
    const ListenerState& listener = *first.listener;
    const config::Limits& bounds = snapshot->configuration->limits;

    // Room in the audit, and the caps. Only a source that is allowed learns of either.
    if (const auto reason = take_place(bounds, listener)) co_return stop_for(*reason);
    if (const auto reason = take_place_at(*first.server)) co_return stop_for(*reason);
    const Deadline deadline(worker_.executor(), time_left(bounds.handshake_timeout),
                            [this] { cut(CloseReason::handshake_timeout); });
    open_client_stream();

    // Preamble: the first byte says whether it is TLS.
    if (auto stop = co_await preamble(listener)) co_return *std::move(stop);
    // TLS, and at the same time the dial: the decision is made, and does not depend on what is
    // said.
    if (auto stop = show_cluster(listener, *first.server)) co_return *std::move(stop);
    if (auto stop = co_await tls_and_dial(listener, *first.server)) co_return *std::move(stop);
    // Login: its first request is read, and not yet passed on.
    if (auto stop = co_await read_request()) co_return *std::move(stop);

    // The final decision: always, by the snapshot and the time of this moment.
    const auto latest = worker_.snapshot();
    const Judgement final = decide(*latest);
    count_use(final);
    if (final.decision.verdict != rules::Verdict::allow) co_return denied(final);

    // The node's turn: it accepts the login, or not.
    if (auto stop = co_await exchange()) co_return *std::move(stop);
  }
  record_opened();
  relay_.emplace(*client_, *backend_, worker_.scratch(), &conversation_);
  co_return std::nullopt;
}

Awaitable<std::optional<bool>> CassandraSession::starts_tls() {
  for (;;) {
    if (co_await client_->wait(Socket::wait_read) != Io::ok) co_return std::nullopt;
    std::uint8_t first = 0;
    const auto size = ::recv(client_->socket().native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (size == 1) co_return first == tls_record::handshake;
    const bool is_yet_to_come = size < 0 && would_block();
    if (!is_yet_to_come) co_return std::nullopt;
  }
}

Awaitable<CassandraSession::Outcome> CassandraSession::preamble(const ListenerState& listener) {
  is_heard_ = true;
  const auto found = co_await starts_tls();
  if (!found) co_return Stop{.reason = CloseReason::client_closed};
  is_tls_ = *found;
  if (is_tls_ || !listener.listener->tls.required) co_return std::nullopt;
  co_return Stop{.reason = CloseReason::plaintext_refused,
                 .code = error_code::bad_credentials,
                 .text = "TLS is required on this port."};
}

Awaitable<CassandraSession::Outcome> CassandraSession::tls_and_dial(const ListenerState& listener,
                                                                    const ServerState& server) {
  using namespace asio::experimental::awaitable_operators;  // NOLINT(google-build-using-namespace)
  if (!is_tls_) co_return co_await dial(server);
  auto [client, backend] = co_await (tls(listener) && dial(server));
  co_return client ? std::move(client) : std::move(backend);
}

Awaitable<CassandraSession::Outcome> CassandraSession::tls(const ListenerState& listener) {
  const auto reason = co_await client_tls(listener);
  if (!reason) co_return std::nullopt;
  abort_dial();  // for nobody
  co_return Stop{.reason = *reason};
}

Awaitable<CassandraSession::Outcome> CassandraSession::read_request() {
  const FrameIo io = co_await read_frame(*client_, conversation_.requests());
  const cassandra::FrameHeader& header = conversation_.requests().header();
  if (io == FrameIo::ok || io == FrameIo::unsupported || io == FrameIo::too_long) {
    answering_ = answering(header);
  }
  if (io == FrameIo::ok) co_return std::nullopt;
  Stop stop{.reason = reason_of_unread(io)};
  if (io == FrameIo::unsupported) {
    record_.detail = "a version of the protocol that is not spoken";
    append_unsupported_version(stop.frame, *answering_, header.version);
  } else if (io == FrameIo::too_long) {
    stop.code = error_code::protocol;
    stop.text = "No login is that long.";
  }
  co_return stop;
}

CassandraSession::Outcome CassandraSession::show_cluster(const ListenerState& listener,
                                                         const ServerState& server) {
  const config::Nodes& nodes = *listener.listener->nodes;
  const config::SocketAddress here =
      proxied_ ? proxied_->destination
               : local_address(client_->socket().native_handle()).value_or(config::SocketAddress{});
  view_.set_terms(
      {.cluster = server.cluster,
       .places = listener.places,
       .server = server.server->name,
       // Who does not know the others can show one.
       .mode = server.server->topology ? nodes.mode : config::NodesMode::single,
       .public_endpoint = {cassandra::to_inet(nodes.public_address.value_or(here.ip)), here.port}});
  hides_system_tables_ = server.server->hide_system_tables;
  candidates_ = view_.candidates({record_.source.address, record_.source.port}, accepted_.node,
                                 server.server->backends);
  if (candidates_.empty()) return fail(CloseReason::backend_unreachable);
  return std::nullopt;
}

Awaitable<CassandraSession::Outcome> CassandraSession::dial(const ServerState& server) {
  backend_tls_ = server.tls;
  dial_ = std::make_unique<cassandra::Dial>(server, backend_, worker_.services().log);
  const auto dialed = co_await dial_->run(candidates_);
  dial_.reset();
  const cassandra::Candidate& reached = candidates_[dialed.candidate];
  record_.backend = reached.text;
  switch (dialed.outcome) {
    case cassandra::DialOutcome::connected:
      if (const auto ours = local_address(backend_->socket().native_handle())) {
        record_.backend_local_port = ours->port;
      }
      if (reached.host_id) view_.set_node(*reached.host_id);
      std::vector<cassandra::Candidate>().swap(candidates_);
      co_return std::nullopt;
    case cassandra::DialOutcome::unreachable:
      co_return fail(CloseReason::backend_unreachable);
    case cassandra::DialOutcome::untrusted:
      co_return fail(CloseReason::backend_untrusted);
    case cassandra::DialOutcome::aborted:
      break;
  }
  co_return Stop{};  // over() knows why it was aborted
}

Awaitable<CassandraSession::Outcome> CassandraSession::exchange() {
  for (;;) {
    if (auto stop = co_await pass_request()) co_return stop;
    if (auto stop = co_await pass_response()) co_return stop;
    if (login_.is_done()) break;
    if (auto stop = co_await read_request()) co_return stop;
  }
  conversation_.begin({.version = login_.version(),
                       .compression = login_.compression(),
                       .hides_system_tables = hides_system_tables_});
  co_return std::nullopt;
}

Awaitable<CassandraSession::Outcome> CassandraSession::pass_request() {
  const cassandra::FrameReader& requests = conversation_.requests();
  Stop stop{.reason = CloseReason::login_malformed};
  if (login_.take_request(requests.header(), requests.body(), stop.frame) !=
      cassandra::Login::Step::pass) {
    co_return stop;
  }
  record_.user = login_.user();
  record_.program = login_.driver();
  if (!login_.driver_version().empty()) record_.program += ' ' + login_.driver_version();
  view_.set_reads_ports(reads_ports(login_.driver()));
  if (co_await write_frame(*backend_, segments_, requests.frame()) != Io::ok) {
    co_return fail(CloseReason::backend_unreachable);
  }
  co_return std::nullopt;
}

Awaitable<CassandraSession::Outcome> CassandraSession::pass_response() {
  cassandra::FrameReader& responses = conversation_.responses();
  if (co_await read_frame(*backend_, responses) != FrameIo::ok) {
    co_return fail(CloseReason::backend_unreachable);
  }
  using Step = cassandra::Login::Step;
  Stop stop{.reason = CloseReason::login_refused};
  const Step step = login_.take_response(responses.header(), responses.body(), stop.frame);
  if (step == Step::broken_node) co_return fail(CloseReason::backend_unreachable);
  if (step == Step::refuse) {
    if (login_.node_refused_user()) count_refused_login(record_.user);
    co_return stop;
  }
  if (step == Step::pass) {
    const Bytes frame = responses.frame();
    stop.frame.assign(frame.begin(), frame.end());
  }
  auto node_segments = segments_;
  if (const auto form = login_.segments_begin()) {
    node_segments = form;
    conversation_.begin_segments(*form);
  }
  const bool is_unknown = login_.is_done() && !view_.has_node();
  if (is_unknown) {
    // One that has left the ring since has no place where several are seen.
    bool learned = false;
    if (view_.shows_one_node()) learned = co_await learn_node(node_segments);
    if (!learned) co_return fail(CloseReason::backend_unreachable);
  }
  if (co_await write_frame(*client_, segments_, stop.frame) != Io::ok) {
    co_return Stop{.reason = CloseReason::client_closed};
  }
  segments_ = node_segments;  // behind the answer, which stands bare
  co_return std::nullopt;
}

Awaitable<bool> CassandraSession::learn_node(std::optional<cassandra::SegmentForm> segments) {
  const auto there = peer_address(backend_->socket().native_handle());
  if (!there) co_return false;
  auto ring = view_.cluster().lone_node(*there);
  if (!ring) {
    ring = co_await ask_node(*there, segments);
    if (!ring) co_return false;
    view_.cluster().lone_node_was_read(*there, ring);
  }
  view_.set_lone_node(std::move(ring));
  co_return true;
}

Awaitable<std::shared_ptr<const cassandra::Ring>> CassandraSession::ask_node(
    const config::SocketAddress& there, std::optional<cassandra::SegmentForm> segments) {
  std::vector<std::uint8_t> frame;
  cassandra::FrameWriter writer(
      frame, {.version = login_.version(), .stream = 0, .opcode = cassandra::opcode::query});
  cassandra::append_query(frame, login_.version(), cassandra::select_local);
  writer.end();
  if (co_await write_frame(*backend_, segments, frame) != Io::ok) co_return nullptr;
  cassandra::FrameReader& responses = conversation_.responses();
  if (co_await read_frame(*backend_, responses) != FrameIo::ok) co_return nullptr;
  const cassandra::FrameHeader& header = responses.header();
  std::vector<std::uint8_t> memory;
  const auto body = login_.plain(header, responses.body(), memory);
  const auto parts = body ? cassandra::split_response(header.flags, *body) : std::nullopt;
  const auto rows = parts && header.opcode == cassandra::opcode::result
                        ? cassandra::parse_rows(parts->content)
                        : std::nullopt;
  if (!rows) co_return nullptr;
  auto ring = cassandra::read_lone_node(*rows, {cassandra::to_inet(there.ip), there.port});
  if (!ring) co_return nullptr;
  co_return std::make_shared<const cassandra::Ring>(std::move(*ring));
}

Awaitable<bool> CassandraSession::go_on(RelayEnd end) {
  std::vector<std::uint8_t> rest;
  if (end == RelayEnd::intercepted) co_await relay_->write_rest();
  if (end == RelayEnd::backend_closed || end == RelayEnd::intercepted) rest = conversation_.rest();
  if (!rest.empty()) {
    const Deadline deadline(worker_.executor(), limits::telling_why, [this] { client_->abort(); });
    co_await client_->write_all(rest);
  }
  Stop stop{.reason = reason_of(end)};
  if (end == RelayEnd::intercepted) {
    stop.reason = conversation_.node_is_to_blame() ? CloseReason::backend_closed
                                                   : CloseReason::login_malformed;
  }
  co_await over(stop);
  co_return false;
}

void CassandraSession::check(std::chrono::steady_clock::time_point steady_now, rules::Time now) {
  Session::check(steady_now, now);
  if (!is_established() || cut_ || !relay_) return;
  // What it has done before was not looked at as closely: it begins anew.
  const ServerState* server = worker_.snapshot()->find_server(record_.server);
  if (server != nullptr && server->server->hide_system_tables && !hides_system_tables_) {
    cut(CloseReason::revoked);
    return;
  }
  if (relay_->has_ended()) return;  // what is due is said behind it
  const Bytes due = conversation_.due();
  if (!due.empty()) relay_->say_to_client(due);
}

Awaitable<void> CassandraSession::over(const Stop& stop) {
  conclude(cut_.value_or(stop.reason));
  if (!is_heard_) {
    co_await tell_at_accept(stop);
    co_return;
  }
  if (backend_) {
    boost::system::error_code ignored;
    backend_->socket().close(ignored);
  }
  const bool ends_in_order = stop.reason == CloseReason::backend_closed ||
                             (established_ && stop.reason == CloseReason::login_malformed);
  if (!client_->aborted() && (stop.says_something() || ends_in_order)) {
    const Deadline deadline(worker_.executor(), limits::telling_why, [this] { client_->abort(); });
    co_await tell(stop);
  }
  client_->close();
}

Awaitable<void> CassandraSession::tell_at_accept(const Stop& stop) {
  const auto snapshot = worker_.snapshot();
  const ListenerState* listener = snapshot->find_listener(accepted_.listener);
  // Nobody may keep more than a few of these busy: who comes behind them learns it from TLS alone.
  const std::uint32_t refusals = snapshot->configuration->limits.refusals;
  const auto slot = refusals > 0 ? Waiting::take(worker_.services().refusals, refusals)
                                 : std::optional<Waiting>();
  if (listener == nullptr || !stop.says_something() || !slot) {
    const bool expects_tls = listener != nullptr && listener->listener->tls.required;
    const bool is_policy = stop.reason == CloseReason::denied;
    say_at_accept(expects_tls && is_policy ? std::span(tls_record::access_denied)
                                           : std::span<const std::uint8_t>());
    co_return;
  }
  open_client_stream();
  const Deadline deadline(worker_.executor(), limits::telling_why, [this] { client_->abort(); });
  const auto found = co_await starts_tls();
  is_tls_ = found.value_or(false);
  if (is_tls_) {
    if (co_await client_->handshake(listener->tls->accept()) != Io::ok) co_return;
  }
  if (found) co_await tell(stop);
  client_->close();
}

// Never speaks first: what is said answers a request, and stands in a version that it knows.
Awaitable<void> CassandraSession::tell(const Stop& stop) {
  std::vector<std::uint8_t> frame = stop.frame;
  if (frame.empty() && !stop.text.empty()) {
    if (!answering_) co_await read_request();
    if (!answering_) co_return;
    append_error(frame, *answering_, stop.code, stop.text);
  }
  if (!frame.empty()) co_await write_frame(*client_, segments_, frame);
  co_await client_->close_gently();
}

void CassandraSession::abort_dial() noexcept {
  if (dial_) dial_->abort();
}

CassandraSession::Stop CassandraSession::denied(const Judgement& judgement) const {
  Stop stop{.reason = CloseReason::denied};
  if (is_told(judgement)) {
    stop.code = error_code::bad_credentials;
    stop.text = "Client with IP address '" + record_.source.address.to_string() +
                "' is not allowed to connect to this Cassandra cluster.";
  }
  return stop;
}

CassandraSession::Stop CassandraSession::stop_for(CloseReason reason) const {
  if (reason == CloseReason::too_many_sessions) {
    return {.reason = reason, .code = error_code::overloaded, .text = "Too many connections."};
  }
  return fail(reason);
}

// A reference is all that a client may know of what went wrong behind the gateway.
CassandraSession::Stop CassandraSession::fail(CloseReason reason) const {
  const std::string_view what = reason == CloseReason::audit_unwritable
                                    ? "This gateway cannot record connections now."
                                    : "This gateway cannot reach the cluster now.";
  return {.reason = reason,
          .code = error_code::server,
          .text = std::string(what) + " Reference: " + to_string(record_.session)};
}

}  // namespace gatehouse
