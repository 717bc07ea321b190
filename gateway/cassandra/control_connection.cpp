#include "gateway/cassandra/control_connection.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "gateway/cassandra/own_login.h"
#include "gateway/cassandra/own_requests.h"
#include "gateway/cassandra/response.h"
#include "gateway/cassandra/ring_reader.h"
#include "gateway/cluster.h"
#include "gateway/limits.h"
#include "gateway/net/deadline.h"
#include "gateway/net/socket_address.h"

namespace gatehouse::cassandra {

namespace {

constexpr std::uint8_t older_version = 4;
constexpr std::size_t message_size_max = 300;

std::string in_words(FrameIo io) {
  switch (io) {
    case FrameIo::unsupported:
      return "it speaks a version of the protocol that the gateway does not";
    case FrameIo::malformed:
      return "it sent something else than the native protocol";
    case FrameIo::too_long:
      return fmt::format("it sent an answer of more than {} MiB",
                         limits::cluster_answer_size / (1024 * 1024));
    case FrameIo::ok:
    case FrameIo::end:
    case FrameIo::failed:
    case FrameIo::aborted:
      break;
  }
  return "it closed the connection";
}

bool agree_on_schema(const Ring& ring) {
  return std::all_of(ring.nodes.begin(), ring.nodes.end(), [&](const Node& node) {
    return node.schema_version == ring.nodes.front().schema_version;
  });
}

}  // namespace

ControlConnection::ControlConnection(const ServerState& state, Log& log, Learned learned)
    : state_(state), log_(log), learned_(std::move(learned)) {}

void ControlConnection::stop() noexcept {
  stopped_ = true;
  if (dial_) dial_->abort();
  if (stream_) stream_->abort();
}

Awaitable<std::string> ControlConnection::run(const Candidate& candidate) {
  candidate_ = &candidate;
  Greeted greeted = Greeted::no;
  if (co_await connect(candidate)) greeted = co_await greet(version_max);
  if (greeted == Greeted::not_in_this_version) {
    // A node closes the connection on which it was spoken to like that.
    greeted = Greeted::no;
    if (co_await connect(candidate)) greeted = co_await greet(older_version);
    if (greeted == Greeted::not_in_this_version) fail(in_words(FrameIo::unsupported));
  }
  if (greeted == Greeted::yes) {
    if (co_await log_in()) co_await follow();
  }
  if (stream_) stream_->close();
  co_return std::move(why_);
}

Awaitable<bool> ControlConnection::connect(const Candidate& candidate) {
  if (stopped_) co_return false;
  dial_.emplace(state_, stream_, log_);
  auto dialed = co_await dial_->run_only(candidate);
  dial_.reset();
  if (stopped_ || dialed.outcome != DialOutcome::connected) co_return fail(std::move(dialed.why));
  co_return true;
}

Awaitable<ControlConnection::Greeted> ControlConnection::greet(std::uint8_t version) {
  version_ = version;
  form_.reset();
  reader_.emplace(Sender::node, limits::cluster_answer_size);
  std::vector<std::uint8_t> body;
  append_startup(body, GATEHOUSE_VERSION);
  if (!co_await ask(opcode::startup, body)) co_return Greeted::no;
  if (is_refused(error_code::protocol)) co_return Greeted::not_in_this_version;
  if (answer() != opcode::ready && !expect(opcode::authenticate, "STARTUP")) co_return Greeted::no;
  co_return Greeted::yes;
}

Awaitable<bool> ControlConnection::log_in() {
  const bool asks_who_we_are = answer() == opcode::authenticate;
  if (version_ >= first_with_segments) {
    form_ = SegmentForm::plain;
    reader_->begin_segments(*form_);
  }
  if (asks_who_we_are) {
    if (!co_await authenticate()) co_return false;
  }
  std::vector<std::uint8_t> body;
  append_register(body);
  if (!co_await ask(opcode::register_events, body)) co_return false;
  co_return expect(opcode::ready, "REGISTER");
}

Awaitable<bool> ControlConnection::authenticate() {
  const config::Topology& account = *state_.server->topology;
  const std::size_t size = account.user.size() + password_size_max + 64;
  SecretBytes wire(size);
  {
    SecretBytes password(password_size_max + 2);
    const std::string unread = read_password(account.password_file.path, password);
    if (!unread.empty()) {
      co_return fail(
          fmt::format("{} cannot be read: {}", account.password_file.path.string(), unread));
    }
    SecretBytes frame(size);
    FrameWriter writer(
        frame.bytes(),
        {.version = version_, .stream = ++stream_id_, .opcode = opcode::auth_response});
    append_plain_login(frame.bytes(), account.user, as_text(password.bytes()));
    writer.end();
    if (form_) {
      append_segment(wire.bytes(), *form_, frame.bytes(), true);
    } else {
      append_bytes(wire.bytes(), frame.bytes());
    }
  }
  // In segments already: no copy is made of it.
  const bool answered = co_await exchange(wire.bytes(), std::nullopt);
  co_return answered&& expect(opcode::auth_success, "the login");
}

Awaitable<void> ControlConnection::follow() {
  look_at_ = Clock::now();
  Clock::time_point heartbeat_at;
  for (;;) {
    const auto now = Clock::now();
    if (look_at_ <= now) {
      if (!co_await look()) co_return;
      heartbeat_at = Clock::now() + limits::cluster_heartbeat_every;
    } else if (heartbeat_at <= now) {
      if (!co_await ask(opcode::options, {})) co_return;
      if (!expect(opcode::supported, "OPTIONS")) co_return;
      heartbeat_at = Clock::now() + limits::cluster_heartbeat_every;
    } else if (!co_await wait_for_event(std::min(look_at_, heartbeat_at))) {
      co_return;
    }
  }
}

// Reads the ring once. What is told meanwhile makes for another look.
Awaitable<bool> ControlConnection::look() {
  const auto asked_at = Clock::now();
  look_at_ = asked_at + limits::cluster_look_every;
  if (look_again_at_) look_by(*std::exchange(look_again_at_, std::nullopt));
  if (!co_await query(select_local)) co_return false;
  if (!expect(opcode::result, "a query of system.local")) co_return false;
  const std::vector<std::uint8_t> kept(content_.begin(), content_.end());
  if (!co_await ask_peers()) co_return false;
  const auto from = peer_address(stream_->socket().native_handle());
  const auto local = parse_rows(kept);
  const auto peers = parse_rows(content_);
  std::optional<Ring> ring;
  if (local && peers) {
    ring = read_ring(*local, *peers,
                     {.address = from ? to_inet(from->ip) : InetAddress{},
                      .port = from ? from->port : std::uint16_t{0}});
  }
  if (!ring) co_return fail("what it says of its ring cannot be read");
  ring_ = std::make_shared<const Ring>(std::move(*ring));
  remember(state_, *candidate_, true);
  learned_(ring_);
  Cluster& cluster = *state_.cluster;
  cluster.schema_was_read(asked_at);
  const auto now = Clock::now();
  if (now < schema_until_ && (cluster.schema_is_settling() || !agree_on_schema(*ring_))) {
    look_by(now + limits::schema_look_every);
  }
  co_return true;
}

// g++ 12 lays out a coroutine wrongly that has nested conditions which wait, and no variable.
Awaitable<bool> ControlConnection::ask_peers() {
  bool asked = false;
  if (!has_old_peers_) {
    asked = co_await query("SELECT * FROM system.peers_v2");
    has_old_peers_ = asked && is_refused(error_code::invalid);
  }
  if (has_old_peers_) asked = co_await query("SELECT * FROM system.peers");
  co_return asked&& expect(opcode::result, "a query of its peers");
}

Awaitable<bool> ControlConnection::wait_for_event(Clock::time_point until) {
  bool due = false;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
  const Deadline deadline(co_await asio::this_coro::executor, left, [&] {
    due = true;
    stream_->abort();
  });
  const FrameIo io = co_await read_frame(*stream_, *reader_);
  // A node may send as many as it likes: others have their turns in between.
  co_await asio::post(co_await asio::this_coro::executor, use_awaitable);
  if (due && !stopped_) stream_->resume();
  if (io == FrameIo::aborted && due) co_return !stopped_;
  if (io != FrameIo::ok) co_return fail(in_words(io));
  if (!take_content()) co_return false;
  if (answer() != opcode::event) co_return fail("it answered what was not asked");
  co_return take_event();
}

Awaitable<bool> ControlConnection::query(std::string_view text) {
  std::vector<std::uint8_t> body;
  append_query(body, version_, text);
  co_return co_await ask(opcode::query, body);
}

Awaitable<bool> ControlConnection::ask(std::uint8_t code, Bytes body) {
  stream_id_ = stream_id_ == std::numeric_limits<std::int16_t>::max()
                   ? std::int16_t{1}
                   : static_cast<std::int16_t>(stream_id_ + 1);
  std::vector<std::uint8_t> frame;
  append_frame(frame, {.version = version_, .stream = stream_id_, .opcode = code}, body);
  co_return co_await exchange(frame, form_);
}

Awaitable<bool> ControlConnection::exchange(Bytes frame, std::optional<SegmentForm> form) {
  bool late = false;
  const Deadline deadline(co_await asio::this_coro::executor, limits::cluster_answer, [&] {
    late = true;
    stream_->abort();
  });
  bool answered = false;
  if (co_await write_frame(*stream_, form, frame) == Io::ok) {
    answered = co_await read_answer();
  } else {
    fail(in_words(FrameIo::end));
  }
  if (late) {
    remember(state_, *candidate_, false);
    co_return fail(fmt::format("it did not answer within {}", limits::cluster_answer));
  }
  co_return answered;
}

Awaitable<bool> ControlConnection::read_answer() {
  for (;;) {
    const FrameIo io = co_await read_frame(*stream_, *reader_);
    if (io != FrameIo::ok) co_return fail(in_words(io));
    if (!take_content()) co_return false;
    if (answer() != opcode::event) break;
    if (!take_event()) co_return false;
    co_await asio::post(co_await asio::this_coro::executor, use_awaitable);
  }
  if (reader_->header().stream == stream_id_) co_return true;
  co_return fail("it answered what was not asked");
}

bool ControlConnection::take_content() {
  const FrameHeader& header = reader_->header();
  const auto parts = split_response(header.flags, reader_->body());
  if (!parts || (header.flags & frame_flag::compressed) != 0) {
    return fail(in_words(FrameIo::malformed));
  }
  content_ = parts->content;
  return true;
}

bool ControlConnection::take_event() {
  const auto event = parse_event(content_);
  if (!event) return fail("it told of something that cannot be read");
  const auto now = Clock::now();
  if (event->type == Event::Type::unknown) return true;
  look_by(now + limits::cluster_look_soon);
  if (event->type == Event::Type::schema_change) {
    schema_until_ = now + limits::schema_agreement;
    return true;
  }
  look_again_at_ = now + limits::cluster_look_again;
  if (event->type != Event::Type::status_change || !ring_) return true;
  const auto* node = ring_->find(event->address, static_cast<std::uint16_t>(event->port));
  if (node == nullptr) return true;
  if (event->change == "UP") state_.cluster->set_down(node->host_id, false);
  if (event->change == "DOWN") state_.cluster->set_down(node->host_id, true);
  return true;
}

bool ControlConnection::is_refused(std::uint32_t code) const noexcept {
  if (answer() != opcode::error) return false;
  const auto error = parse_error(content_);
  return error && error->code == code;
}

bool ControlConnection::expect(std::uint8_t code, std::string_view request) {
  if (answer() == code) return true;
  const auto error = answer() == opcode::error ? parse_error(content_) : std::nullopt;
  if (!error) return fail(fmt::format("it answered {} with something else", request));
  return fail(fmt::format("it answered {} with error 0x{:04X}: {}", request, error->code,
                          error->message.substr(0, message_size_max)));
}

bool ControlConnection::fail(std::string why) {
  why_ = std::move(why);
  return false;
}

}  // namespace gatehouse::cassandra
