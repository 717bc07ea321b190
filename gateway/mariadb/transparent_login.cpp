#include "gateway/mariadb/transparent_login.h"

#include <utility>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/reply.h"

namespace gatehouse::mariadb {

namespace {

constexpr std::uint8_t first_client_sequence = 1;  // the greeting is 0

constexpr std::uint8_t next(std::uint8_t sequence) noexcept {
  return static_cast<std::uint8_t>(sequence + 1);
}

}  // namespace

TransparentLogin::TransparentLogin(Stream& client, Stream& backend, Dialed dialed,
                                   bool backend_is_private, std::string reference)
    : client_(client),
      backend_(backend),
      dialed_(std::move(dialed)),
      backend_is_private_(backend_is_private),
      reference_(std::move(reference)),
      plugin_(dialed_.greeting.plugin) {}

Awaitable<std::optional<Stop>> TransparentLogin::preamble(bool tls_required) {
  // The client would send the greeting's plugin its password before anybody could say no.
  if (!backend_is_private_ && reveals_password(plugin_)) {
    co_return fail(CloseReason::backend_untrusted, Failure::clear_password_refused);
  }
  Packet greeting = std::move(dialed_.packet);
  set_capabilities(greeting.payload(), dialed_.greeting,
                   dialed_.greeting.capabilities | capability::ssl);
  if (co_await client_.write_all(greeting.bytes()) != Io::ok) co_return lost_client(PacketIo::end);
  moment_ = after_greeting(next(first_client_sequence));

  const PacketIo read =
      co_await read_packet(client_, first_client_sequence, login_size_max, first_);
  if (read != PacketIo::ok) co_return lost_client(read);
  if (const auto request = parse_ssl_request(first_.payload())) {
    prefix_ = *request;
    // TLS starts right behind this packet: whatever was pipelined with it is TLS's to judge, never
    // ours to read.
    moment_ = after_greeting(next(next(first_client_sequence)));
    co_return std::nullopt;
  }
  const auto login = parse_login(first_.payload());
  if (!login) co_return malformed();
  if (tls_required) {
    co_return Stop{CloseReason::plaintext_refused, ssl_required(next(first_client_sequence))};
  }
  prefix_ = login->prefix;
  first_is_login_ = true;
  co_return std::nullopt;
}

Awaitable<std::optional<Stop>> TransparentLogin::backend_tls(SslPointer ssl) {
  std::vector<std::uint8_t> request;
  append_ssl_request(request, first_client_sequence, prefix_);
  progress_ = Progress::tls_requested;
  backend_sequence_ = first_client_sequence;
  if (co_await backend_.write_all(request) != Io::ok) co_return lost_backend(PacketIo::failed);
  switch (co_await backend_.handshake(std::move(ssl))) {
    case Io::ok:
      co_return std::nullopt;
    case Io::aborted:
      co_return lost_backend(PacketIo::aborted);
    case Io::end:
    case Io::failed:
      break;
  }
  co_return fail(backend_.peer_was_untrusted() ? CloseReason::backend_untrusted
                                               : CloseReason::backend_unreachable);
}

Awaitable<std::optional<Stop>> TransparentLogin::read_login(LoginFacts& facts) {
  if (first_is_login_) {
    login_ = std::move(first_);
  } else {
    const PacketIo read =
        co_await read_packet(client_, next(first_client_sequence), login_size_max, login_);
    if (read != PacketIo::ok) co_return lost_client(read);
  }
  const auto login =
      parse_login(login_.payload(), prefix_.capabilities & dialed_.greeting.capabilities);
  if (!login) co_return malformed();
  facts.user = login->user;
  facts.database = login->database;
  facts.program =
      login->attribute("program_name").value_or(login->attribute("_client_name").value_or(""));
  if (login->plugin) plugin_ = *login->plugin;
  if (!backend_is_private_ && reveals_password(plugin_)) {
    co_return fail(CloseReason::backend_untrusted, Failure::clear_password_refused);
  }
  co_return std::nullopt;
}

Awaitable<std::optional<Stop>> TransparentLogin::exchange() {
  if (auto stop = co_await send_login()) co_return stop;
  for (;;) {
    Turn turn = Turn::client;
    if (auto stop = co_await relay_reply(turn)) co_return stop;
    if (turn == Turn::over) co_return std::nullopt;
    if (turn == Turn::either) {
      // A plugin's own data: some servers say two things in a row (caching_sha2_password's "fast,
      // good" and OK).
      const Ready ready = co_await wait_for_either(backend_, client_);
      if (ready.io == Io::ok && ready.first) continue;
    }
    if (auto stop = co_await relay_answer()) co_return stop;
  }
}

Awaitable<std::optional<Stop>> TransparentLogin::send_login() {
  // The server goes by the first packet it was sent; where that was no SSLRequest, it is this one.
  const std::uint64_t capabilities = backend_.is_tls() ? prefix_.capabilities | capability::ssl
                                                       : prefix_.capabilities & ~capability::ssl;
  set_login_capabilities(login_.payload(), capabilities);
  backend_sequence_ = next(backend_sequence_);
  login_.set_sequence(backend_sequence_);
  progress_ = Progress::reply_due;
  const Packet login = std::move(login_);
  if (co_await backend_.write_all(login.bytes()) != Io::ok)
    co_return lost_backend(PacketIo::failed);
  co_return std::nullopt;
}

// One packet from the backend to the client. Sequence numbers differ between the legs by what TLS
// took on either; the client's are counted in moment_.
Awaitable<std::optional<Stop>> TransparentLogin::relay_reply(Turn& turn) {
  Packet packet;
  const PacketIo read =
      co_await read_packet(backend_, next(backend_sequence_), exchange_size_max, packet);
  if (read != PacketIo::ok) co_return lost_backend(read);
  backend_sequence_ = packet.sequence();
  progress_ = Progress::answer_due;
  if (auto stop = judge_reply(packet, turn)) co_return stop;
  packet.set_sequence(moment_.sequence);
  moment_ = after_greeting(next(moment_.sequence));
  if (co_await client_.write_all(packet.bytes()) != Io::ok) co_return lost_client(PacketIo::end);
  if (turn == Turn::over && classify_reply(packet.payload()) == ReplyKind::error) {
    co_return Stop{CloseReason::login_refused, std::nullopt};
  }
  co_return std::nullopt;
}

std::optional<Stop> TransparentLogin::judge_reply(Packet& packet, Turn& turn) {
  switch (classify_reply(packet.payload())) {
    case ReplyKind::ok:
      progress_ = Progress::decided;
      turn = Turn::over;
      return take_out_redirect(packet);
    case ReplyKind::error:
      progress_ = Progress::decided;
      turn = Turn::over;
      return std::nullopt;
    case ReplyKind::auth_switch: {
      const auto change = parse_auth_switch(packet.payload());
      plugin_ = change->plugin;
      if (!backend_is_private_ && reveals_password(plugin_)) {
        return fail(CloseReason::backend_untrusted, Failure::clear_password_refused);
      }
      turn = Turn::client;
      return std::nullopt;
    }
    case ReplyKind::more_data:
      if (!backend_is_private_ && plugin_ == "caching_sha2_password" &&
          asks_for_full_authentication(packet.payload())) {
        return fail(CloseReason::backend_untrusted, Failure::clear_password_refused);
      }
      turn = Turn::either;
      return std::nullopt;
    case ReplyKind::old_password:  // a hash that is as good as the password
      return fail(CloseReason::backend_untrusted, Failure::clear_password_refused);
    case ReplyKind::malformed:
      break;
  }
  return lost_backend(PacketIo::malformed);
}

std::optional<Stop> TransparentLogin::take_out_redirect(Packet& packet) {
  const auto in_force = prefix_.capabilities & dialed_.greeting.capabilities;
  auto rewritten = rewrite_login_ok(packet.payload(), in_force, std::nullopt);
  switch (rewritten.outcome) {
    case RewrittenOk::Outcome::unchanged:
      return std::nullopt;
    case RewrittenOk::Outcome::changed:
      packet.set_payload(rewritten.payload);
      return std::nullopt;
    case RewrittenOk::Outcome::malformed:
      break;
  }
  return lost_backend(PacketIo::malformed);
}

// One packet from the client to the backend.
Awaitable<std::optional<Stop>> TransparentLogin::relay_answer() {
  Packet packet;
  const PacketIo read = co_await read_packet(client_, moment_.sequence, exchange_size_max, packet);
  if (read != PacketIo::ok) co_return lost_client(read);
  moment_ = after_greeting(next(moment_.sequence));
  backend_sequence_ = next(backend_sequence_);
  packet.set_sequence(backend_sequence_);
  progress_ = Progress::reply_due;
  if (co_await backend_.write_all(packet.bytes()) != Io::ok)
    co_return lost_backend(PacketIo::failed);
  co_return std::nullopt;
}

Awaitable<void> TransparentLogin::finish_without_client() {
  backend_.resume();
  if (progress_ == Progress::decided) co_return;
  // A handshake that never began, or failed for good, cannot be finished.
  if (progress_ == Progress::tls_requested && co_await backend_.continue_handshake() != Io::ok)
    co_return;
  for (;;) {
    if (progress_ != Progress::reply_due) {
      std::vector<std::uint8_t> packet;
      backend_sequence_ = next(backend_sequence_);
      if (progress_ == Progress::answer_due) {
        append_packet(packet, backend_sequence_, {});  // an answer to the plugin that is none
      } else {
        append_absent_login(packet, backend_sequence_, absent_prefix());
      }
      if (co_await backend_.write_all(packet) != Io::ok) co_return;
    }
    Packet reply;
    const PacketIo read =
        co_await read_packet(backend_, next(backend_sequence_), exchange_size_max, reply);
    if (read != PacketIo::ok) co_return;
    backend_sequence_ = reply.sequence();
    progress_ = Progress::answer_due;
    const ReplyKind kind = classify_reply(reply.payload());
    if (kind != ReplyKind::auth_switch && kind != ReplyKind::more_data) co_return;
  }
}

LoginPrefix TransparentLogin::absent_prefix() const {
  if (progress_ == Progress::tls_requested) return prefix_;  // the SSLRequest's capabilities govern
  const auto capabilities =
      dialed_.greeting.capabilities & (capability::mysql | capability::protocol_41 |
                                       capability::secure_connection | capability::plugin_auth);
  return {.capabilities = capabilities,
          .max_packet = payload_size_max,
          .charset = dialed_.greeting.charset};
}

Stop TransparentLogin::fail(CloseReason reason, Failure failure) const {
  return {reason, session_failed(moment_, failure, reference_)};
}

Stop TransparentLogin::malformed() const {
  return {CloseReason::login_malformed, bad_handshake(moment_.sequence)};
}

Stop TransparentLogin::lost_client(PacketIo how) const {
  if (how == PacketIo::malformed) return malformed();
  return {CloseReason::client_closed, std::nullopt};
}

// Also for a backend that says what no backend may.
Stop TransparentLogin::lost_backend(PacketIo how) const {
  if (how == PacketIo::aborted)
    return {CloseReason::internal_error, std::nullopt};  // the session knows why
  return fail(CloseReason::backend_unreachable);
}

}  // namespace gatehouse::mariadb
