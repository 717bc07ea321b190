#include "gateway/mariadb/dial.h"

#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/reply.h"
#include "gateway/net/deadline.h"
#include "gateway/proxy_protocol/header.h"

namespace gatehouse::mariadb {

namespace {

constexpr std::uint16_t error_too_many_connections = 1040;
constexpr std::uint8_t greeting_sequence = 0;

}  // namespace

std::string_view proxy_hint(const config::Server& server) noexcept {
  return server.send_proxy_protocol ? " (does its proxy_protocol_networks name this gateway?)" : "";
}

Dial::Dial(const ServerState& state, const ProxiedClient& client, std::optional<Stream>& slot,
           Log& log, const std::optional<LoginPrefix>& start_tls)
    : state_(state), client_(client), slot_(slot), log_(log), start_tls_(start_tls), reach_(slot) {}

Awaitable<Dialed> Dial::run() {
  std::vector<bool> tried(state_.backends.size());
  while (const auto backend = next_backend(state_.backends, tried)) {
    tried[*backend] = true;
    state_.metrics->backend_dials.add();
    if (co_await attempt(*backend)) {
      state_.backends[*backend]->succeeded();
      break;
    }
    if (dialed_.outcome == DialOutcome::aborted) break;
    state_.metrics->backend_dial_failures.add();
    log_.warning("server {}: backend {}: {}", state_.server->name,
                 state_.server->backends[*backend].text, dialed_.why);
    if (dialed_.outcome == DialOutcome::too_many_connections) break;
  }
  co_return std::move(dialed_);
}

Awaitable<Dialed> Dial::run_only(std::size_t backend) {
  co_await attempt(backend);
  co_return std::move(dialed_);
}

// Whether it is connected; dialed_ says the rest.
Awaitable<bool> Dial::attempt(std::size_t backend) {
  dialed_.backend = backend;
  const auto failure = co_await try_one(state_.server->backends[backend]);
  dialed_.outcome = failure ? failure->outcome : DialOutcome::connected;
  if (aborted_) dialed_.outcome = DialOutcome::aborted;
  if (dialed_.outcome == DialOutcome::aborted) co_return false;
  if (failure) {
    remember(*failure);
    co_return false;
  }
  state_.backends[backend]->greeted(dialed_.greeting);
  co_return true;
}

void Dial::remember(const Failure& failure) {
  dialed_.why = failure.why;
  if (slot_) slot_->reset();
  // One that is full answers: it is not to be avoided, and whoever comes may find room.
  if (failure.is_ours || failure.outcome == DialOutcome::too_many_connections) return;
  state_.backends[dialed_.backend]->failed();
}

void Dial::abort() noexcept {
  aborted_ = true;
  reach_.stop();
}

Awaitable<std::optional<Dial::Failure>> Dial::try_one(const config::Backend& backend) {
  bool late = false;
  const Deadline deadline(co_await asio::this_coro::executor, state_.server->dial_timeout, [&] {
    late = true;
    reach_.stop();
  });
  slot_.reset();
  dialed_.greeting = {};
  dialed_.tls.reset();
  auto failure = co_await reach_and_greet(backend);
  if (failure && late) {
    failure =
        Failure{DialOutcome::unreachable, fmt::format("no {} within dial_timeout ({})",
                                                      slot_ && slot_->is_tls() ? "TLS" : "greeting",
                                                      state_.server->dial_timeout)};
  }
  co_return failure;
}

Awaitable<std::optional<Dial::Failure>> Dial::reach_and_greet(const config::Backend& backend) {
  if (const auto unreached = co_await reach_.run(backend.where)) {
    if (unreached->is_aborted) co_return Failure{DialOutcome::aborted, {}};
    co_return Failure{DialOutcome::unreachable, unreached->why, unreached->is_ours};
  }
  if (auto failure = co_await greet()) co_return failure;
  if (start_tls_ && state_.tls) co_return co_await secure();
  co_return std::nullopt;
}

Awaitable<std::optional<Dial::Failure>> Dial::greet() {
  if (state_.server->send_proxy_protocol) {
    const auto header = proxy_protocol::make_header(client_.source, client_.destination);
    if (co_await slot_->write_all(header) != Io::ok) {
      co_return not_greeted("it closed the connection behind the PROXY header");
    }
  }
  const PacketIo io =
      co_await read_packet(*slot_, greeting_sequence, greeting_size_max, dialed_.packet);
  switch (io) {
    case PacketIo::ok:
      co_return judge_greeting(dialed_.packet.payload());
    case PacketIo::malformed:
      co_return not_greeted("it sent no MariaDB greeting");
    case PacketIo::aborted:
      co_return Failure{DialOutcome::aborted, {}};
    case PacketIo::end:
    case PacketIo::failed:
      break;
  }
  co_return not_greeted("it closed the connection before its greeting");
}

Dial::Failure Dial::not_greeted(std::string_view how) const {
  return {DialOutcome::unreachable, std::string(how) + std::string(proxy_hint(*state_.server))};
}

// An error in place of a greeting names internal addresses: it is for the log only.
std::optional<Dial::Failure> Dial::judge_greeting(Bytes payload) {
  if (const auto error = parse_error(payload)) {
    const bool full = error->code == error_too_many_connections;
    return Failure{full ? DialOutcome::too_many_connections : DialOutcome::unreachable,
                   fmt::format("it answered with error {}: {}{}", error->code, error->message,
                               full ? "" : proxy_hint(*state_.server))};
  }
  const auto greeting = parse_greeting(payload);
  if (!greeting) return not_greeted("it sent no MariaDB greeting");
  if (state_.tls && (greeting->capabilities & capability::ssl) == 0) {
    return Failure{DialOutcome::untrusted, "it offers no TLS, which `tls` of this server asks for"};
  }
  dialed_.greeting = *greeting;
  return std::nullopt;
}

Awaitable<std::optional<Dial::Failure>> Dial::secure() {
  LoginPrefix prefix = *start_tls_;
  prefix.capabilities = (prefix.capabilities & dialed_.greeting.capabilities) | capability::ssl;
  std::vector<std::uint8_t> request;
  append_ssl_request(request, greeting_sequence + 1, prefix);
  dialed_.tls = prefix;
  Io io = co_await slot_->write_all(request);
  if (io == Io::ok) {
    io = co_await slot_->handshake(state_.tls->connect(*state_.server, dialed_.backend));
  }
  if (io == Io::aborted) co_return Failure{DialOutcome::aborted, {}};
  if (io != Io::ok) {
    const std::string_view error = slot_->tls_error();
    co_return Failure{
        slot_->peer_was_untrusted() ? DialOutcome::untrusted : DialOutcome::unreachable,
        fmt::format("TLS failed: {}{}", error.empty() ? "it closed the connection" : error,
                    slot_->peer_was_untrusted() ? "" : proxy_hint(*state_.server))};
  }
  co_return std::nullopt;
}

}  // namespace gatehouse::mariadb
