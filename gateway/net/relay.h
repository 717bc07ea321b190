// Passing bytes both ways once a session is established.
//
// Two plain readiness handlers, not coroutines: a round trip costs a read, a write and a wait on
// each side, and an idle session holds no buffer and no frame. Bytes go through the worker's
// scratch buffer; memory is owned only while the receiver is slow. What was read is written before
// more is read, so a peer that does not read stops the other one (backpressure).
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "gateway/net/asio.h"
#include "gateway/net/tls_stream.h"
#include "gateway/relay_filter.h"

namespace gatehouse {

enum class RelayEnd { client_closed, backend_closed, intercepted, aborted };

class Relay {
 public:
  // All must outlive the relay; `scratch` is the worker's, and used by nobody else while a handler
  // runs. `filter` may be null.
  Relay(Stream& client, Stream& backend, std::span<std::uint8_t> scratch, RelayFilter* filter);

  // Until one side closes or breaks and what it had sent is written, until the filter stops it, or
  // until both streams are aborted. The streams are still open then, and `on_end` is called, once;
  // perhaps before this returns. It may destroy the relay. After `intercepted`, and write_rest(),
  // it may be started again.
  void start(std::function<void(RelayEnd)> on_end) noexcept;
  // After `intercepted`: what a slow receiver had not taken when the filter stopped the relay. That
  // it cannot be written shows in what is done next.
  Awaitable<void> write_rest();
  // Between two handlers, while it runs: to the client, behind what is on its way already.
  void say_to_client(std::span<const std::uint8_t> bytes) noexcept;

  // Nothing more is passed on or said, whatever is still under way.
  [[nodiscard]] bool has_ended() const noexcept { return ended_; }

  [[nodiscard]] std::uint64_t bytes_in() const noexcept { return to_backend_.bytes; }
  [[nodiscard]] std::uint64_t bytes_out() const noexcept { return to_client_.bytes; }
  [[nodiscard]] std::chrono::steady_clock::time_point last_activity() const noexcept {
    return last_activity_;
  }

 private:
  static constexpr std::size_t tail_size = 5;

  struct Direction {
    Stream* from = nullptr;
    Stream* to = nullptr;
    RelayEnd when_from_ends{};
    std::vector<std::uint8_t> unwritten;  // only while `to` is slow
    std::uint64_t bytes = 0;
    // Handlers that will be called; never two of a kind.
    bool awaits_from = false;
    bool awaits_to = false;
    bool filter_has_more = false;  // it is to be asked before more is read
    bool is_held = false;          // until the other direction has moved
    bool is_broken = false;        // `to` takes nothing any more
  };

  // Asks for one call of go_on() when one of a direction's streams is ready for what an attempt
  // wanted.
  void wait(Direction& direction, Stream& stream, Progress wanted);
  void come_back(Direction& direction);
  void go_on(Direction& direction) noexcept;
  void move_on(Direction& direction);
  // False: not all of it could be written yet, or ever.
  bool write(Direction& direction, std::span<const std::uint8_t> bytes);
  // Behind what is not written yet.
  bool append(Direction& direction, std::span<const std::uint8_t> bytes);
  // To the filter, and on. False: there is a reason not to read on.
  bool pass(Direction& direction, std::span<const std::uint8_t> bytes);
  void let_go_on(Direction& direction);
  bool flush(Direction& direction);
  Attempt fill(Direction& direction, std::size_t& filled) noexcept;
  RelayFilter::Result look_at(const Direction& direction, std::span<const std::uint8_t> bytes);
  [[nodiscard]] bool is_from_client(const Direction& direction) const noexcept {
    return &direction == &to_backend_;
  }
  Direction& other(const Direction& direction) noexcept {
    return is_from_client(direction) ? to_client_ : to_backend_;
  }
  Awaitable<void> write_rest(Direction& direction);
  void remember_tail(std::span<const std::uint8_t> bytes) noexcept;
  void end(RelayEnd how) noexcept;
  void finish_if_done() noexcept;
  [[nodiscard]] bool client_has_quit() const noexcept;

  Direction to_backend_;
  Direction to_client_;
  std::span<std::uint8_t> scratch_;
  RelayFilter* filter_;
  std::function<void(RelayEnd)> on_end_;
  std::chrono::steady_clock::time_point last_activity_;
  std::array<std::uint8_t, tail_size> client_tail_{};  // the last bytes the client sent
  std::uint8_t waits_ = 0;                             // handlers that will still be called
  bool ended_ = false;
  RelayEnd how_ = RelayEnd::aborted;
};

}  // namespace gatehouse
