#include "gateway/mariadb/probe.h"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/common_greeting.h"
#include "gateway/mariadb/dial.h"
#include "gateway/mariadb/login.h"
#include "gateway/mariadb/reply.h"
#include "gateway/net/deadline.h"
#include "gateway/net/run_alone.h"

namespace gatehouse::mariadb {

namespace {

// What the login of nobody needs; each backend is asked for as much of it as it has.
constexpr LoginPrefix nobodys_words{.capabilities = capability::mysql | capability::protocol_41 |
                                                    capability::secure_connection |
                                                    capability::plugin_auth,
                                    .max_packet = payload_size_max,
                                    .charset = utf8mb4_general_ci};

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

}  // namespace

Awaitable<Probe> probe(const ServerState& state, std::size_t backend) {
  Log silent(STDERR_FILENO, {.level = config::LogLevel::error, .format = config::LogFormat::text});
  const ProxiedClient from_here{{rules::IpAddress::v4(0x7F000001), 1},
                                {rules::IpAddress::v4(0x7F000001), 1}};
  std::optional<Stream> stream;
  Dial dial(state, from_here, stream, silent, nobodys_words);
  const Dialed dialed = co_await dial.run_only(backend);
  if (dialed.outcome != DialOutcome::connected) co_return Probe{false, dialed.why};

  const Deadline deadline(co_await asio::this_coro::executor, state.server->dial_timeout,
                          [&] { stream->abort(); });
  LoginPrefix prefix = nobodys_words;
  prefix.capabilities &= dialed.greeting.capabilities;
  std::uint8_t sequence = 1;
  std::string protection = "plaintext";
  if (dialed.tls) {
    prefix = *dialed.tls;
    ++sequence;
    protection = stream->tls_facts().version;
  }
  const std::string refused = co_await log_in_as_nobody(*stream, sequence, prefix);
  stream->close();
  if (!refused.empty()) {
    state.backends[backend]->failed();
    co_return Probe{false, refused};
  }
  state.backends[backend]->succeeded();
  co_return Probe{true,
                  fmt::format("{}, {}", plain_version(dialed.greeting.server_version), protection)};
}

Probe probe_now(const ServerState& state, std::size_t backend) {
  return run_alone(probe(state, backend)).value_or(Probe{false, "out of memory"});
}

}  // namespace gatehouse::mariadb
