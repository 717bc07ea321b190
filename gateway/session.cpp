#include "gateway/session.h"

#include <algorithm>
#include <utility>

#include <sys/socket.h>

#include "gateway/limits.h"
#include "gateway/net/deadline.h"
#include "gateway/net/last_words.h"
#include "gateway/worker.h"

namespace gatehouse {

Session::Session(Worker& worker, Accepted accepted, config::Protocol protocol)
    : worker_(worker),
      accepted_(std::move(accepted)),
      protocol_(protocol),
      accepted_at_(std::chrono::steady_clock::now()) {
  record_.listener = accepted_.listener;
  record_.source.address = accepted_.peer.ip;
  record_.source.port = accepted_.peer.port;
  // Last: nothing fails once it has its number, and so it is recorded here or by the worker.
  record_.session = worker.next_session();
  worker_.entered(*this);
}

Session::~Session() {
  // Without memory for its last steps it was still cut for a reason.
  conclude(cut_.value_or(CloseReason::internal_error));
  worker_.left(*this);
}

std::optional<CloseReason> Session::take_place(const config::Limits& bounds,
                                               const ListenerState& listener) {
  room_ = worker_.services().audit.reserve();
  if (!room_) return CloseReason::audit_unwritable;
  if (waiting_) worker_.services().metrics.handshakes.subtract();
  waiting_.reset();
  auto taken = worker_.services().places.take(
      bounds, {record_.source.network, record_.source.address}, *listener.handshakes);
  if (const Cap* reached = std::get_if<Cap>(&taken)) {
    record_.bound = to_string(*reached);
    return CloseReason::too_many_sessions;
  }
  place_ = std::get<Place>(std::move(taken));
  worker_.services().metrics.handshakes.add();
  return std::nullopt;
}

std::optional<CloseReason> Session::take_place_at(const ServerState& server) {
  if (place_->take_server(*server.sessions, server.server->max_sessions)) return std::nullopt;
  record_.bound = to_string(Cap::max_sessions);
  return CloseReason::too_many_sessions;
}

Awaitable<std::optional<CloseReason>> Session::client_tls(const ListenerState& listener) {
  const auto started = std::chrono::steady_clock::now();
  if (co_await client_->handshake(listener.tls->accept()) != Io::ok) {
    worker_.services().log.debug("session {}: the client's TLS failed: {}",
                                 to_string(record_.session), client_->tls_error());
    co_return CloseReason::tls_failed;
  }
  worker_.services().metrics.tls_handshake.observe(std::chrono::steady_clock::now() - started);
  TlsFacts facts = client_->tls_facts();
  record_.tls = AuditTls{.version = facts.version,
                         .cipher = facts.cipher,
                         .sni = std::move(facts.sni),
                         .client_subject = std::move(facts.client_subject),
                         .resumed = facts.resumed};
  co_return std::nullopt;
}

void Session::cut(CloseReason reason) noexcept {
  if (concluded_) return;  // what is left to say has its own short deadline
  if (!cut_) cut_ = reason;
  if (client_) client_->abort();
  abort_dial();
  if (backend_) backend_->abort();
}

CloseReason Session::reason_of(RelayEnd end) noexcept {
  switch (end) {
    case RelayEnd::client_closed:
      return CloseReason::client_closed;
    case RelayEnd::backend_closed:
      return CloseReason::backend_closed;
    case RelayEnd::intercepted:
    case RelayEnd::aborted:
      break;
  }
  return CloseReason::internal_error;  // over() knows why it was aborted
}

void Session::say_at_accept(std::span<const std::uint8_t> message) noexcept {
  const int socket = client_ ? client_->socket().native_handle() : accepted_.descriptor.get();
  if (message.empty() && !client_) {
    reset_at_close(socket);
    return;
  }
  say_and_end(socket, message, worker_.scratch());
  if (client_) client_->close();
}

Awaitable<void> Session::close_gently(std::span<const std::uint8_t> message) {
  const Deadline deadline(worker_.executor(), limits::gentle_close, [this] { client_->abort(); });
  if (!message.empty()) co_await client_->write_all(message);
  co_await client_->close_gently();
}

bool Session::is_told(const Judgement& judgement) noexcept {
  return judgement.listener != nullptr &&
         judgement.listener->listener->on_deny == config::OnDeny::message;
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
