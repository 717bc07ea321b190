#include "gateway/mariadb/probe.h"

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/dial.h"
#include "gateway/mariadb/login.h"
#include "gateway/mariadb/reply.h"
#include "gateway/net/deadline.h"

namespace gatehouse::mariadb {

namespace {

constexpr std::string_view replication_prefix = "5.5.5-";  // before the version until MariaDB 11.0

LoginPrefix prefix_for(const Greeting& greeting) {
  const auto wanted = capability::mysql | capability::protocol_41 | capability::secure_connection |
                      capability::plugin_auth | capability::ssl;
  return {.capabilities = greeting.capabilities & wanted,
          .max_packet = payload_size_max,
          .charset = greeting.charset};
}

// Empty: the backend has answered the login, with whatever.
Awaitable<std::string> log_in_as_nobody(Stream& stream, std::uint8_t sequence,
                                        const LoginPrefix& prefix) {
  std::vector<std::uint8_t> bytes;
  append_absent_login(bytes, sequence, prefix);
  for (;;) {
    if (co_await stream.write_all(bytes) != Io::ok)
      co_return "it closed the connection during the login";
    Packet reply;
    if (co_await read_packet(stream, ++sequence, exchange_size_max, reply) != PacketIo::ok) {
      co_return "it closed the connection during the login";
    }
    const ReplyKind kind = classify_reply(reply.payload());
    if (kind != ReplyKind::auth_switch && kind != ReplyKind::more_data) co_return std::string();
    bytes.clear();
    append_packet(bytes, ++sequence, {});
  }
}

Awaitable<Probe> try_backend(ServerState state, std::size_t backend, Executor executor) {
  Log silent(STDERR_FILENO, {.level = config::LogLevel::error, .format = config::LogFormat::text});
  const config::Server server = *state.server;
  config::Server only = server;
  only.backends = {server.backends[backend]};
  state.server = &only;
  std::optional<Stream> stream;
  const ProxiedClient from_here{{rules::IpAddress::v4(0x7F000001), 1},
                                {rules::IpAddress::v4(0x7F000001), 1}};
  const Dialed dialed = co_await Dial(state, from_here, stream, silent).run();
  if (dialed.outcome != DialOutcome::connected) co_return Probe{false, dialed.why};

  const Deadline deadline(executor, server.dial_timeout, [&] { stream->abort(); });
  std::string version = dialed.greeting.server_version;
  if (version.starts_with(replication_prefix)) version.erase(0, replication_prefix.size());
  LoginPrefix prefix = prefix_for(dialed.greeting);
  std::uint8_t sequence = 1;
  std::string protection = "plaintext";
  if (state.tls) {
    std::vector<std::uint8_t> request;
    append_ssl_request(request, sequence++, prefix);
    if (co_await stream->write_all(request) != Io::ok ||
        co_await stream->handshake(state.tls->connect(server, backend)) != Io::ok) {
      const std::string_view why = stream->tls_error().empty() ? "no answer" : stream->tls_error();
      co_return Probe{false, fmt::format("{}, TLS failed: {}{}", version, why, proxy_hint(server))};
    }
    protection = stream->tls_facts().version;
  } else {
    prefix.capabilities &= ~capability::ssl;
  }
  const std::string refused = co_await log_in_as_nobody(*stream, sequence, prefix);
  stream->close();
  co_return Probe{refused.empty(), refused.empty() ? version + ", " + protection : refused};
}

}  // namespace

Probe probe(const ServerState& state, std::size_t backend) {
  asio::io_context context(1);
  Probe result;
  ServerState copy;
  copy.server = state.server;
  copy.tls = state.tls;
  copy.metrics = state.metrics;
  asio::co_spawn(context, try_backend(std::move(copy), backend, context.get_executor()),
                 [&](const std::exception_ptr& failure, Probe probed) {
                   result = failure ? Probe{false, "out of memory"} : std::move(probed);
                 });
  context.run();
  return result;
}

}  // namespace gatehouse::mariadb
