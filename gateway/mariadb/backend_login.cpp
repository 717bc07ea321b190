#include "gateway/mariadb/backend_login.h"

#include <algorithm>
#include <utility>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/reply.h"

namespace gatehouse::mariadb {

namespace {

constexpr std::uint8_t first_sequence = 1;  // the greeting is 0
// Of "invalid authorization": what a wrong password, a missing account and a forbidden host have.
constexpr std::string_view invalid_authorization = "28000";

constexpr std::uint8_t next(std::uint8_t sequence) noexcept {
  return static_cast<std::uint8_t>(sequence + 1);
}

// The server goes by the first packet it was sent; where that was no SSLRequest, it is the login.
constexpr std::uint64_t for_leg(std::uint64_t capabilities, bool is_tls) noexcept {
  return is_tls ? capabilities | capability::ssl : capabilities & ~capability::ssl;
}

// A plugin's name; not the four bytes behind the marker of an EOF, which begins like a switch.
bool is_plugin_name(std::string_view name) noexcept {
  constexpr std::size_t shortest = 6;  // dialog, parsec
  return name.size() >= shortest && std::all_of(name.begin(), name.end(), [](char character) {
           return (character >= 'a' && character <= 'z') ||
                  (character >= 'A' && character <= 'Z') ||
                  (character >= '0' && character <= '9') || character == '_';
         });
}

}  // namespace

BackendLogin::BackendLogin(Stream& backend, ClientLogin& client, Dialed dialed, bool is_private)
    : backend_(backend),
      client_(client),
      dialed_(std::move(dialed)),
      is_private_(is_private),
      plugin_(dialed_.greeting.plugin) {
  if (dialed_.tls) tls_was_started(*dialed_.tls);
}

Packet BackendLogin::take_greeting() {
  Packet greeting = std::move(dialed_.packet);
  set_capabilities(greeting.payload(), dialed_.greeting,
                   dialed_.greeting.capabilities | capability::ssl);
  return greeting;
}

std::optional<Stop> BackendLogin::judge_plugin(std::string_view plugin) const {
  if (!reveals_password(plugin)) return std::nullopt;
  if (!is_private_) {
    return client_.fail(CloseReason::backend_untrusted, Failure::clear_password_refused);
  }
  if (client_.is_in_plaintext()) return client_.refuse_plaintext();
  return std::nullopt;
}

std::optional<Stop> BackendLogin::judge_capabilities() const {
  // It would write results in another form than the one the client was promised.
  const auto missing = client_.capabilities() & ~dialed_.greeting.capabilities;
  if ((missing & capability::shaping) == 0) return std::nullopt;
  return client_.fail(CloseReason::backend_unreachable);
}

Awaitable<std::optional<Stop>> BackendLogin::start_tls(SslPointer ssl) {
  std::vector<std::uint8_t> request;
  append_ssl_request(request, first_sequence, client_.prefix());
  tls_was_started(client_.prefix());
  if (co_await backend_.write_all(request) != Io::ok) co_return lost(PacketIo::failed);
  const Io io = co_await backend_.handshake(std::move(ssl));
  switch (io) {
    case Io::ok:
      co_return std::nullopt;
    case Io::aborted:
      co_return lost(PacketIo::aborted);
    case Io::end:
    case Io::failed:
      break;
  }
  co_return client_.fail(backend_.peer_was_untrusted() ? CloseReason::backend_untrusted
                                                       : CloseReason::backend_unreachable);
}

void BackendLogin::tls_was_started(const LoginPrefix& prefix) noexcept {
  tls_prefix_ = prefix;
  progress_ = Progress::tls_requested;
  sequence_ = first_sequence;
}

Awaitable<std::optional<Stop>> BackendLogin::send_login(std::string_view plugin) {
  if (!plugin.empty()) plugin_ = plugin;
  Packet login = std::move(client_.packet());
  set_login_capabilities(login.payload(),
                         for_leg(client_.prefix().capabilities, backend_.is_tls()));
  login.set_sequence(next(sequence_));
  if (co_await send(login) != Io::ok) co_return lost(PacketIo::failed);
  co_return std::nullopt;
}

Awaitable<std::optional<Stop>> BackendLogin::send_routed_login(std::string_view user) {
  LoginPrefix prefix = client_.routed_prefix();
  prefix.capabilities &= dialed_.greeting.capabilities & ~capability::ssl;
  if (dialed_.tls) prefix = *dialed_.tls;
  std::vector<std::uint8_t> bytes;
  append_routed_login(bytes, next(sequence_), client_.login(), prefix, user);
  plugin_ = client_.login().plugin.value_or("");
  const Packet login(std::move(bytes));
  if (co_await send(login) != Io::ok) co_return lost(PacketIo::failed);
  co_return std::nullopt;
}

Awaitable<std::optional<Stop>> BackendLogin::send_change_user(Bytes packet,
                                                              std::string_view plugin) {
  plugin_ = plugin;
  const Packet command({packet.begin(), packet.end()});
  if (co_await send(command) != Io::ok) co_return lost(PacketIo::failed);
  co_return std::nullopt;
}

Awaitable<Io> BackendLogin::send(const Packet& packet) {
  sequence_ = packet.sequence();
  progress_ = Progress::reply_due;
  return backend_.write_all(packet.bytes());
}

Awaitable<std::optional<Stop>> BackendLogin::exchange(ExchangeTerms terms) {
  for (;;) {
    Turn turn = Turn::client;
    if (auto stop = co_await relay_reply(terms, turn)) co_return stop;
    if (turn == Turn::over) co_return std::nullopt;
    if (turn == Turn::either) {
      // A plugin's own data: some servers say two things in a row (caching_sha2_password's "fast,
      // good" and OK).
      const Ready ready = co_await wait_for_either(backend_, client_.stream());
      if (ready.io == Io::ok && ready.first) continue;
    }
    if (auto stop = co_await relay_answer()) co_return stop;
  }
}

// One packet from the backend to the client.
Awaitable<std::optional<Stop>> BackendLogin::relay_reply(const ExchangeTerms& terms, Turn& turn) {
  Packet packet;
  const PacketIo read = co_await read_packet(backend_, next(sequence_), exchange_size_max, packet);
  if (read != PacketIo::ok) co_return lost(read);
  sequence_ = packet.sequence();
  progress_ = Progress::answer_due;
  if (auto stop = judge_reply(terms, packet, turn)) co_return stop;
  const bool refused = turn == Turn::over && classify_reply(packet.payload()) == ReplyKind::error;
  if (co_await client_.pass_on(packet) != Io::ok) co_return client_.lost(PacketIo::end);
  if (refused) co_return Stop{CloseReason::login_refused, std::nullopt};
  co_return std::nullopt;
}

std::optional<Stop> BackendLogin::judge_reply(const ExchangeTerms& terms, Packet& packet,
                                              Turn& turn) {
  switch (classify_reply(packet.payload())) {
    case ReplyKind::ok:
      progress_ = Progress::decided;
      turn = Turn::over;
      return judge_ok(terms, packet);
    case ReplyKind::error: {
      progress_ = Progress::decided;
      turn = Turn::over;
      const auto error = parse_error(packet.payload());
      refused_authentication_ = error->state == invalid_authorization;
      return std::nullopt;
    }
    case ReplyKind::auth_switch: {
      plugin_ = parse_auth_switch(packet.payload())->plugin;
      if (terms.switch_due && !has_asked_ && !is_plugin_name(plugin_)) break;
      has_asked_ = true;
      turn = Turn::client;
      return judge_plugin(plugin_);
    }
    case ReplyKind::more_data:
      if (terms.switch_due && !has_asked_) break;
      turn = Turn::either;
      if (!is_private_ && plugin_ == "caching_sha2_password" &&
          asks_for_full_authentication(packet.payload())) {
        return client_.fail(CloseReason::backend_untrusted, Failure::clear_password_refused);
      }
      return std::nullopt;
    case ReplyKind::old_password:  // a hash that is as good as the password
      return client_.fail(CloseReason::backend_untrusted, Failure::clear_password_refused);
    case ReplyKind::malformed:
      break;
  }
  return lost(PacketIo::malformed);
}

std::optional<Stop> BackendLogin::judge_ok(const ExchangeTerms& terms, Packet& packet) {
  if (terms.switch_due && !has_asked_) {
    return client_.fail(CloseReason::backend_untrusted);
  }
  auto rewritten =
      rewrite_login_ok(packet.payload(), client_.capabilities() & dialed_.greeting.capabilities,
                       terms.connection_id);
  switch (rewritten.outcome) {
    case RewrittenOk::Outcome::unchanged:
      return std::nullopt;
    case RewrittenOk::Outcome::changed:
      packet.set_payload(rewritten.payload);
      return std::nullopt;
    case RewrittenOk::Outcome::malformed:
      break;
  }
  return lost(PacketIo::malformed);
}

// One packet from the client to the backend.
Awaitable<std::optional<Stop>> BackendLogin::relay_answer() {
  Packet packet;
  const PacketIo read = co_await client_.read_answer(packet);
  if (read != PacketIo::ok) co_return client_.lost(read);
  // MariaDB would count it as a broken handshake of the gateway's; this way it is a refused login.
  if (!may_answer(plugin_, packet.payload().size())) co_return client_.malformed();
  packet.set_sequence(next(sequence_));
  if (co_await send(packet) != Io::ok) co_return lost(PacketIo::failed);
  co_return std::nullopt;
}

Awaitable<void> BackendLogin::finish_without_client() {
  backend_.resume();
  if (progress_ == Progress::decided) co_return;
  // A handshake that never began, or failed for good, cannot be finished.
  if (progress_ == Progress::tls_requested) {
    if (co_await backend_.continue_handshake() != Io::ok) co_return;
  }
  for (;;) {
    if (progress_ != Progress::reply_due) {
      std::vector<std::uint8_t> packet;
      sequence_ = next(sequence_);
      if (progress_ == Progress::answer_due) {
        append_packet(packet, sequence_, {});  // an answer to the plugin that is none
      } else {
        append_absent_login(packet, sequence_, absent_prefix());
      }
      if (co_await backend_.write_all(packet) != Io::ok) co_return;
    }
    Packet reply;
    const PacketIo read = co_await read_packet(backend_, next(sequence_), exchange_size_max, reply);
    if (read != PacketIo::ok) co_return;
    sequence_ = reply.sequence();
    progress_ = Progress::answer_due;
    const ReplyKind kind = classify_reply(reply.payload());
    if (kind != ReplyKind::auth_switch && kind != ReplyKind::more_data) co_return;
  }
}

LoginPrefix BackendLogin::absent_prefix() const {
  if (progress_ == Progress::tls_requested) {
    LoginPrefix prefix = tls_prefix_;
    prefix.charset = dialed_.greeting.charset;  // the client's may be what it was refused for
    return prefix;
  }
  const auto capabilities =
      dialed_.greeting.capabilities & (capability::mysql | capability::protocol_41 |
                                       capability::secure_connection | capability::plugin_auth);
  return {.capabilities = capabilities,
          .max_packet = payload_size_max,
          .charset = dialed_.greeting.charset};
}

// Also for a backend that says what no backend may.
Stop BackendLogin::lost(PacketIo how) const {
  if (how == PacketIo::aborted)
    return {CloseReason::internal_error, std::nullopt};  // the session knows why
  return client_.fail(CloseReason::backend_unreachable);
}

}  // namespace gatehouse::mariadb
