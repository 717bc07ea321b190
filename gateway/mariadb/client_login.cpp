#include "gateway/mariadb/client_login.h"

#include <utility>

#include "gateway/mariadb/capabilities.h"

namespace gatehouse::mariadb {

namespace {

constexpr std::uint8_t first_sequence = 1;  // the greeting is 0
constexpr std::size_t charset_at = 8;       // in a login, behind capabilities and packet size

constexpr std::uint8_t next(std::uint8_t sequence) noexcept {
  return static_cast<std::uint8_t>(sequence + 1);
}

}  // namespace

ClientLogin::ClientLogin(Stream& client, std::string reference)
    : client_(client), reference_(std::move(reference)) {}

Awaitable<std::optional<Stop>> ClientLogin::preamble(Bytes greeting, std::uint64_t capabilities,
                                                     bool tls_required) {
  greeting_capabilities_ = capabilities;
  if (co_await client_.write_all(greeting) != Io::ok) co_return lost(PacketIo::end);
  moment_ = after_greeting(next(first_sequence));

  const PacketIo got = co_await read_packet(client_, first_sequence, login_size_max, packet_);
  if (got != PacketIo::ok) co_return lost(got);
  if (const auto request = parse_ssl_request(packet_.payload())) {
    prefix_ = *request;
    // TLS starts right behind this packet: whatever was pipelined with it is TLS's to judge, never
    // ours to read.
    moment_ = after_greeting(next(next(first_sequence)));
    co_return std::nullopt;
  }
  const auto login = parse_login(packet_.payload());
  if (!login) co_return malformed();
  if (tls_required) co_return refuse_plaintext();
  prefix_ = login->prefix;
  first_is_login_ = true;
  co_return std::nullopt;
}

Awaitable<std::optional<Stop>> ClientLogin::read() {
  if (!first_is_login_) {
    const PacketIo got =
        co_await read_packet(client_, next(first_sequence), login_size_max, packet_);
    if (got != PacketIo::ok) co_return lost(got);
  }
  const auto login = parse_login(packet_.payload(), capabilities());
  if (!login) co_return malformed();
  if (!is_client_charset(packet_.payload()[charset_at])) {
    co_return Stop{CloseReason::login_malformed, charset_refused(moment_.sequence)};
  }
  login_ = *login;
  co_return std::nullopt;
}

LoginPrefix ClientLogin::routed_prefix() const noexcept {
  LoginPrefix prefix = prefix_;
  prefix.capabilities = capabilities() | capability::plugin_auth;
  return prefix;
}

void ClientLogin::begin_again(std::uint64_t capabilities) {
  greeting_capabilities_ = capabilities;
  prefix_.capabilities = capabilities;
  moment_ = after_greeting(1);
}

Awaitable<Io> ClientLogin::pass_on(Packet& reply) {
  // Sequence numbers differ between the legs by what TLS took on either.
  reply.set_sequence(moment_.sequence);
  moment_ = after_greeting(next(moment_.sequence));
  return client_.write_all(reply.bytes());
}

Awaitable<PacketIo> ClientLogin::read_answer(Packet& answer) {
  const std::uint8_t sequence = moment_.sequence;
  moment_ = after_greeting(next(sequence));
  return read_packet(client_, sequence, exchange_size_max, answer);
}

Stop ClientLogin::fail(CloseReason reason, Failure failure) const {
  return {reason, session_failed(moment_, failure, reference_)};
}

Stop ClientLogin::malformed() const {
  return {CloseReason::login_malformed, bad_handshake(moment_.sequence)};
}

Stop ClientLogin::refuse_plaintext() const {
  return {CloseReason::plaintext_refused, ssl_required(moment_.sequence)};
}

Stop ClientLogin::lost(PacketIo how) const {
  if (how == PacketIo::malformed) return malformed();
  return {CloseReason::client_closed, std::nullopt};
}

}  // namespace gatehouse::mariadb
