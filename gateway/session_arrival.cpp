// How the client came: the PROXY header in front of it, and the interface it arrived at.
#include <algorithm>

#include "gateway/net/deadline.h"
#include "gateway/net/interface.h"
#include "gateway/proxy_protocol/receive.h"
#include "gateway/session.h"
#include "gateway/worker.h"

namespace gatehouse {

bool Session::needs_proxy_header() const noexcept {
  const ListenerState* listener = worker_.snapshot()->find_listener(accepted_.listener);
  return listener != nullptr && listener->listener->proxy_protocol.has_value();
}

Awaitable<std::optional<CloseReason>> Session::read_proxy_header() {
  const auto snapshot = worker_.snapshot();
  const ListenerState& listener = *snapshot->find_listener(accepted_.listener);
  if (!listener.listener->proxy_protocol->trusts(accepted_.peer.ip)) {
    co_return CloseReason::untrusted_sender;
  }
  const config::Limits& limits = snapshot->configuration->limits;
  waiting_ = Waiting::take(*listener.handshakes, limits.handshakes);
  if (!waiting_) {
    record_.bound = to_string(Cap::handshakes);
    co_return CloseReason::too_many_sessions;
  }
  worker_.services().metrics.handshakes.add();
  const Deadline deadline(worker_.executor(), time_left(limits.handshake_timeout),
                          [this] { cut(CloseReason::proxy_header_timeout); });
  open_client_stream();
  auto header = co_await proxy_protocol::receive_header(*client_);
  using State = proxy_protocol::ReceivedHeader::State;
  switch (header.state) {
    case State::client:
      remember_header(std::move(header));
      // The sender may have lost our trust while we waited for what it says.
      if (!is_sender_trusted()) co_return CloseReason::untrusted_sender;
      co_return std::nullopt;
    case State::health_check:
      co_return CloseReason::health_check;
    case State::incomplete:  // cut, and over() knows why
    case State::malformed:
      break;
  }
  record_.detail = header.problem;
  co_return CloseReason::proxy_header_malformed;
}

void Session::remember_header(proxy_protocol::ReceivedHeader header) {
  AuditSource& source = record_.source;
  source.address = header.source.ip;
  source.port = header.source.port;
  source.peer_address = accepted_.peer.ip;
  source.ids = std::move(header.ids);
  proxied_ = std::make_unique<const proxy_protocol::ReceivedHeader>(std::move(header));
}

bool Session::is_sender_trusted() const noexcept {
  const ListenerState* listener = worker_.snapshot()->find_listener(accepted_.listener);
  return listener == nullptr || came_as_required(*listener->listener);
}

bool Session::came_as_required(const config::Listener& listener) const noexcept {
  if (listener.protocol != protocol_) return false;  // it has changed since
  if (!listener.proxy_protocol) return proxied_ == nullptr;
  return proxied_ != nullptr && listener.proxy_protocol->trusts(accepted_.peer.ip);
}

bool Session::came_by_another_device(const config::Listener& listener,
                                     const config::Configuration& configuration) {
  const auto& listeners = configuration.listeners;
  const auto has_device = [](const config::Listener& other) { return other.device.has_value(); };
  if (std::none_of(listeners.begin(), listeners.end(), has_device)) return false;
  if (!interface_) {
    interface_ =
        arrival_interface(client_ ? client_->socket().native_handle() : accepted_.descriptor.get());
  }
  if (interface_->empty()) return true;
  if (listener.device) return *listener.device != *interface_;
  // A socket without a device takes connections from all of them.
  return std::any_of(listeners.begin(), listeners.end(),
                     [&](const config::Listener& other) { return other.device == *interface_; });
}

}  // namespace gatehouse
