#include "gateway/net/relay.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

namespace gatehouse {

namespace {

// COM_QUIT as the last packet: length 1, sequence 0, command 1. With compression it ends a
// compressed packet.
constexpr std::array<std::uint8_t, 5> quit{1, 0, 0, 0, 1};

}  // namespace

Relay::Relay(Stream& client, Stream& backend, std::span<std::uint8_t> scratch, RelayFilter* filter)
    : to_backend_{.from = &client,
                  .to = &backend,
                  .when_from_ends = RelayEnd::client_closed,
                  .unwritten = {}},
      to_client_{.from = &backend,
                 .to = &client,
                 .when_from_ends = RelayEnd::backend_closed,
                 .unwritten = {}},
      scratch_(scratch),
      filter_(filter),
      last_activity_(std::chrono::steady_clock::now()) {}

void Relay::start(std::function<void(RelayEnd)> on_end) noexcept {
  on_end_ = std::move(on_end);
  ended_ = false;
  for (Direction* direction : {&to_backend_, &to_client_}) {
    direction->filter_has_more = false;
    direction->is_held = false;
    direction->is_broken = false;
  }
  ++waits_;  // for both to be under way: it may be over before
  go_on(to_client_);
  go_on(to_backend_);
  --waits_;
  finish_if_done();
}

Awaitable<void> Relay::write_rest() {
  co_await write_rest(to_backend_);
  co_await write_rest(to_client_);
}

Awaitable<void> Relay::write_rest(Direction& direction) {
  const auto bytes = std::exchange(direction.unwritten, {});
  if (co_await direction.to->write_all(bytes) == Io::ok) direction.bytes += bytes.size();
}

void Relay::wait(Direction& direction, Stream& stream, Progress wanted) {
  if (stream.aborted()) {
    end(RelayEnd::aborted);
    return;
  }
  // Asks the kernel anew each time. To be told of news only would save a call, but behind a read
  // that came short nobody knows whether the peer's end was told of with its last bytes.
  bool& awaited = &stream == direction.from ? direction.awaits_from : direction.awaits_to;
  const auto what = wanted == Progress::want_write ? Socket::wait_write : Socket::wait_read;
  stream.socket().async_wait(what, [this, &direction, &awaited](boost::system::error_code) {
    // An error shows in the next attempt; an abort in the stream.
    awaited = false;
    --waits_;
    go_on(direction);
  });
  awaited = true;
  ++waits_;
}

// Comes back without waiting for the socket: TLS may have taken off it what there is to know.
void Relay::come_back(Direction& direction) {
  asio::post(direction.from->socket().get_executor(), [this, &direction] {
    direction.awaits_from = false;
    --waits_;
    go_on(direction);
  });
  direction.awaits_from = true;
  ++waits_;
}

void Relay::go_on(Direction& direction) noexcept {
  try {
    if (direction.from->aborted() || direction.to->aborted()) end(RelayEnd::aborted);
    if (!ended_ && flush(direction)) {
      let_go_on(other(direction));
      if (!direction.awaits_from && !direction.is_held) move_on(direction);
    }
  } catch (const std::exception&) {
    end(RelayEnd::aborted);  // no memory to hold what a slow receiver has not taken: this session
                             // ends, no other
  }
  finish_if_done();
}

// A held direction, now that the other one has written, moved or broken.
void Relay::let_go_on(Direction& direction) {
  if (std::exchange(direction.is_held, false)) come_back(direction);
}

void Relay::move_on(Direction& direction) {
  if (direction.filter_has_more) {
    if (pass(direction, {})) come_back(direction);
    return;
  }
  std::size_t filled = 0;
  const Attempt last = fill(direction, filled);
  const bool ends = last.progress == Progress::end || last.progress == Progress::failed;
  if (ends && filled == 0) {
    const bool quit_first = !is_from_client(direction) && client_has_quit();
    end(quit_first ? RelayEnd::client_closed : direction.when_from_ends);
    return;
  }
  if (filled > 0 && !pass(direction, scratch_.first(filled))) return;
  // An end that came with bytes is met again, and so are bytes that TLS holds already.
  if (direction.filter_has_more || ends ||
      (last.progress == Progress::done && direction.from->has_pending())) {
    come_back(direction);
  } else {
    wait(direction, *direction.from,
         last.progress == Progress::want_write ? Progress::want_write : Progress::want_read);
  }
}

bool Relay::pass(Direction& direction, std::span<const std::uint8_t> bytes) {
  const RelayFilter::Result passed = look_at(direction, bytes);
  using Next = RelayFilter::Next;
  direction.filter_has_more = passed.next == Next::again || passed.next == Next::after_other;
  const bool written =
      append(direction, is_from_client(direction) ? passed.to_backend : passed.to_client);
  Direction& back = other(direction);
  const auto answer = is_from_client(direction) ? passed.to_client : passed.to_backend;
  const bool answered = answer.empty() || append(back, answer);
  if (passed.next == Next::stop) {
    end(RelayEnd::intercepted);
    return false;
  }
  if (passed.next == Next::after_other && back.is_broken) {
    end(direction.when_from_ends);  // nothing more comes the other way
    return false;
  }
  // Whoever does not read what he is answered is not asked for more. A broken receiver holds
  // nobody: the end of it shows where it is read.
  direction.is_held = passed.next == Next::after_other || (!answered && !back.is_broken);
  return written && !direction.is_held;
}

RelayFilter::Result Relay::look_at(const Direction& direction,
                                   std::span<const std::uint8_t> bytes) {
  if (filter_ != nullptr) {
    return is_from_client(direction) ? filter_->from_client(bytes) : filter_->from_backend(bytes);
  }
  if (is_from_client(direction)) return {.to_backend = bytes};
  return {.to_client = bytes};
}

Attempt Relay::fill(Direction& direction, std::size_t& filled) noexcept {
  Attempt last{Progress::done, 0};
  while (filled < scratch_.size()) {
    last = direction.from->try_read(scratch_.subspan(filled));
    if (last.progress != Progress::done) break;
    filled += last.bytes;
    // Less than a record holds means that nothing more is there now: trying again would cost a
    // system call to learn the same.
    if (last.bytes < Stream::full_record && !direction.from->has_pending()) break;
  }
  if (filled > 0) last_activity_ = std::chrono::steady_clock::now();
  if (direction.from == to_backend_.from) remember_tail(scratch_.first(filled));
  return last;
}

bool Relay::write(Direction& direction, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const Attempt attempt = direction.to->try_write(bytes);
    if (attempt.progress == Progress::done) {
      direction.bytes += attempt.bytes;
      bytes = bytes.subspan(attempt.bytes);
      continue;
    }
    if (attempt.progress == Progress::want_read || attempt.progress == Progress::want_write) {
      direction.unwritten.assign(bytes.begin(), bytes.end());
      wait(direction, *direction.to, attempt.progress);
      return false;
    }
    // This direction is over. What the receiver has said by now is read by the other one, as far as
    // its TLS lets it, and the end of that ends the relay: also of a receiver that lives on, where
    // it was we who could not write.
    direction.is_broken = true;
    direction.to->end_both_ways();
    let_go_on(other(direction));
    return false;
  }
  return true;
}

bool Relay::append(Direction& direction, std::span<const std::uint8_t> bytes) {
  if (direction.unwritten.empty()) return write(direction, bytes);
  direction.unwritten.insert(direction.unwritten.end(), bytes.begin(), bytes.end());
  return false;
}

bool Relay::flush(Direction& direction) {
  if (direction.awaits_to) return false;
  if (direction.unwritten.empty()) return true;
  std::vector<std::uint8_t> bytes;
  bytes.swap(direction.unwritten);  // its memory goes when it is written
  return write(direction, bytes);
}

void Relay::say_to_client(std::span<const std::uint8_t> bytes) noexcept {
  try {
    if (!ended_) append(to_client_, bytes);
  } catch (const std::exception&) {
    end(RelayEnd::aborted);
  }
}

void Relay::end(RelayEnd how) noexcept {
  if (ended_) return;
  ended_ = true;
  how_ = how;
  boost::system::error_code ignored;
  to_backend_.from->socket().cancel(ignored);
  to_backend_.to->socket().cancel(ignored);
}

void Relay::finish_if_done() noexcept {
  if (waits_ > 0) return;
  end(RelayEnd::client_closed);  // if neither direction waits for anything, both receivers are gone
  const auto on_end = std::move(on_end_);
  on_end(how_);  // the last: this may be gone then
}

void Relay::remember_tail(std::span<const std::uint8_t> bytes) noexcept {
  const std::size_t kept = bytes.size() < tail_size ? tail_size - bytes.size() : 0;
  std::copy(client_tail_.end() - static_cast<std::ptrdiff_t>(kept), client_tail_.end(),
            client_tail_.begin());
  std::copy(bytes.end() - static_cast<std::ptrdiff_t>(tail_size - kept), bytes.end(),
            client_tail_.begin() + static_cast<std::ptrdiff_t>(kept));
}

bool Relay::client_has_quit() const noexcept {
  return client_tail_ == quit;
}

}  // namespace gatehouse
