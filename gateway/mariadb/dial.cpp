#include "gateway/mariadb/dial.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/reply.h"
#include "gateway/net/deadline.h"
#include "gateway/net/socket_address.h"
#include "gateway/proxy_protocol/header.h"

namespace gatehouse::mariadb {

namespace {

using Endpoint = asio::generic::stream_protocol::endpoint;
using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;

constexpr std::uint16_t error_too_many_connections = 1040;
constexpr std::uint8_t greeting_sequence = 0;

// One attempt's failure, in words for the log.
struct Failure {
  DialOutcome outcome = DialOutcome::unreachable;
  std::string why;
};

Awaitable<std::vector<Endpoint>> find_endpoints(const config::Backend& backend,
                                                Resolver& resolver) {
  std::vector<Endpoint> endpoints;
  if (const auto* unix_backend = std::get_if<config::UnixBackend>(&backend.where)) {
    endpoints.emplace_back(asio::local::stream_protocol::endpoint(unix_backend->path.string()));
    co_return endpoints;
  }
  const auto& tcp = std::get<config::TcpBackend>(backend.where);
  if (const auto address = rules::IpAddress::parse(tcp.host)) {
    const KernelAddress kernel = to_kernel({*address, tcp.port});
    endpoints.emplace_back(kernel.get(), kernel.size, IPPROTO_TCP);
    co_return endpoints;
  }
  auto [error, results] = co_await resolver.async_resolve(tcp.host, std::to_string(tcp.port),
                                                          asio::as_tuple(use_awaitable));
  if (!error) {
    for (const auto& result : results) endpoints.emplace_back(result.endpoint());
  }
  co_return endpoints;
}

Awaitable<Io> connect_to_first(const std::vector<Endpoint>& endpoints, const Executor& executor,
                               std::optional<Stream>& slot) {
  Io io = Io::failed;
  for (const Endpoint& endpoint : endpoints) {
    slot.emplace(Socket(executor));
    io = co_await slot->connect(endpoint);
    if (io != Io::failed) break;
  }
  if (io == Io::ok && local_address(slot->socket().native_handle())) {
    boost::system::error_code ignored;
    slot->socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    slot->socket().set_option(asio::socket_base::keep_alive(true), ignored);
  }
  co_return io;
}

// An error in place of a greeting names internal addresses: it is for the log only.
std::optional<Failure> judge_greeting(Bytes payload, const ServerState& state, Dialed& dialed) {
  if (const auto error = parse_error(payload)) {
    const bool full = error->code == error_too_many_connections;
    return Failure{full ? DialOutcome::too_many_connections : DialOutcome::unreachable,
                   fmt::format("it answered with error {}: {}", error->code, error->message)};
  }
  const auto greeting = parse_greeting(payload);
  if (!greeting) return Failure{DialOutcome::unreachable, "it sent no MariaDB greeting"};
  if (state.tls && (greeting->capabilities & capability::ssl) == 0) {
    return Failure{DialOutcome::untrusted, "it offers no TLS, which `tls` of this server asks for"};
  }
  dialed.greeting = *greeting;
  return std::nullopt;
}

Awaitable<std::optional<Failure>> greet(const ServerState& state, const ProxiedClient& client,
                                        Stream& stream, Dialed& dialed) {
  if (state.server->send_proxy_protocol) {
    const auto header = proxy_protocol::make_header(client.source, client.destination);
    if (co_await stream.write_all(header) != Io::ok) {
      co_return Failure{DialOutcome::unreachable, "the PROXY header could not be sent"};
    }
  }
  switch (co_await read_packet(stream, greeting_sequence, greeting_size_max, dialed.packet)) {
    case PacketIo::ok:
      co_return judge_greeting(dialed.packet.payload(), state, dialed);
    case PacketIo::malformed:
      co_return Failure{DialOutcome::unreachable, "it sent no MariaDB greeting"};
    case PacketIo::aborted:
      co_return Failure{DialOutcome::aborted, {}};
    case PacketIo::end:
    case PacketIo::failed:
      break;
  }
  co_return Failure{DialOutcome::unreachable, "it closed the connection before its greeting"};
}

Awaitable<std::optional<Failure>> dial_one(const ServerState& state, const config::Backend& backend,
                                           const ProxiedClient& client, std::optional<Stream>& slot,
                                           const std::optional<CloseReason>& cut, Dialed& dialed) {
  const auto executor = co_await asio::this_coro::executor;
  Resolver resolver(executor);
  bool late = false;
  const Deadline deadline(executor, state.server->dial_timeout, [&] {
    late = true;
    resolver.cancel();
    if (slot) slot->abort();
  });
  const auto too_late = [&] {
    return Failure{DialOutcome::unreachable,
                   fmt::format("no greeting within dial_timeout ({})", state.server->dial_timeout)};
  };
  slot.reset();
  const auto endpoints = co_await find_endpoints(backend, resolver);
  if (late) co_return too_late();
  if (cut) co_return Failure{DialOutcome::aborted, {}};
  if (endpoints.empty()) co_return Failure{DialOutcome::unreachable, "its name cannot be resolved"};
  const Io connected = co_await connect_to_first(endpoints, executor, slot);
  if (late) co_return too_late();
  if (connected == Io::aborted) co_return Failure{DialOutcome::aborted, {}};
  if (connected != Io::ok)
    co_return Failure{DialOutcome::unreachable, fmt::format("it cannot be connected to: {}",
                                                            slot->connect_error().message())};
  auto failure = co_await greet(state, client, *slot, dialed);
  if (failure && late) co_return too_late();
  co_return failure;
}

}  // namespace

std::string_view proxy_hint(const config::Server& server) noexcept {
  return server.send_proxy_protocol ? " (does its proxy_protocol_networks name this gateway?)" : "";
}

Awaitable<Dialed> dial(const ServerState& state, const ProxiedClient& client,
                       std::optional<Stream>& slot, const std::optional<CloseReason>& cut,
                       Log& log) {
  Dialed dialed;
  for (std::size_t index = 0; index < state.server->backends.size(); ++index) {
    const config::Backend& backend = state.server->backends[index];
    dialed.backend = index;
    state.metrics->backend_dials.add();
    const auto failure = co_await dial_one(state, backend, client, slot, cut, dialed);
    dialed.outcome = failure ? failure->outcome : DialOutcome::connected;
    if (!failure || failure->outcome == DialOutcome::aborted) co_return dialed;
    state.metrics->backend_dial_failures.add();
    dialed.why = failure->why + std::string(proxy_hint(*state.server));
    log.warning("server {}: backend {}: {}", state.server->name, backend.text, dialed.why);
    if (slot) slot->reset();
    if (failure->outcome == DialOutcome::too_many_connections) co_return dialed;
  }
  co_return dialed;
}

}  // namespace gatehouse::mariadb
