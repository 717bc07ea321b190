// A relay between two sockets of the test's own, which it drives turn by turn.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>
#include <sys/socket.h>

#include "gateway/limits.h"
#include "gateway/net/descriptor.h"
#include "gateway/net/relay.h"

namespace gatehouse {

using Bytes = std::vector<std::uint8_t>;

// Bytes that do not repeat where buffers do, so that a piece lost, doubled or moved shows.
inline Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  std::uint32_t state = 1;
  for (std::uint8_t& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return bytes;
}

inline Bytes text(std::string_view characters) {
  return {characters.begin(), characters.end()};
}

// The far end of a stream: a client or a backend, driven by the test.
class Peer {
 public:
  explicit Peer(Descriptor socket) : socket_(std::move(socket)) {}

  // How much the socket took; it never waits.
  std::size_t write(std::span<const std::uint8_t> bytes) const {
    const auto size =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return size > 0 ? static_cast<std::size_t>(size) : 0;
  }
  void write_all(const Bytes& bytes) const { REQUIRE(write(bytes) == bytes.size()); }

  // Appends at most `max` of what has arrived to received().
  void read(std::size_t max) {
    Bytes buffer(max);
    const auto size = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size <= 0) return;
    received_.insert(received_.end(), buffer.begin(), buffer.begin() + size);
  }
  [[nodiscard]] const Bytes& received() const { return received_; }

  void close() { socket_ = Descriptor(); }

 private:
  Descriptor socket_;
  Bytes received_;
};

// As small as the kernel lets it be: a few packets fill it.
inline void use_small_buffer(int socket) {
  const int size = 1;
  REQUIRE(::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
}

// One side of the relay and who is there.
struct Side {
  explicit Side(asio::io_context& context) : Side(context, make_pair()) {}

  Stream stream;
  Peer peer;

 private:
  struct Pair {
    Descriptor near;
    Descriptor far;
  };
  static Pair make_pair() {
    std::array<int, 2> sockets{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) == 0);
    use_small_buffer(sockets[0]);  // the relay's: it writes in many pieces what it reads in one
    return {Descriptor(sockets[0]), Descriptor(sockets[1])};
  }
  Side(asio::io_context& context, Pair pair)
      : stream(Socket(context.get_executor(), asio::generic::stream_protocol(AF_UNIX, 0),
                      pair.near.release())),
        peer(std::move(pair.far)) {}
};

struct RelayFixture {
  asio::io_context context{1};
  Side client{context};
  Side backend{context};
  Bytes scratch = Bytes(limits::relay_scratch_size);
  Relay relay;
  std::optional<RelayEnd> ended;

  explicit RelayFixture(RelayFilter* filter = nullptr)
      : relay(client.stream, backend.stream, scratch, filter) {
    run();
  }
  void run() {
    ended.reset();
    context.restart();
    relay.start([this](RelayEnd how) {
      asio::co_spawn(context, finish(how), [this](const std::exception_ptr& failure, RelayEnd end) {
        if (!failure) ended = end;
      });
    });
    turn();
  }
  Awaitable<RelayEnd> finish(RelayEnd how) {
    if (how == RelayEnd::intercepted) co_await relay.write_rest();
    co_return how;
  }
  // Nothing in a test may outlive the relay's handlers.
  ~RelayFixture() {
    client.stream.abort();
    backend.stream.abort();
    context.run_for(std::chrono::seconds(10));
  }
  RelayFixture(const RelayFixture&) = delete;
  RelayFixture& operator=(const RelayFixture&) = delete;

  // Everything the relay can do now.
  void turn() { context.poll(); }

  // Turn by turn, until there is nothing left to wait for.
  template <typename Condition>
  bool turn_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition() && std::chrono::steady_clock::now() < deadline) turn();
    return condition();
  }

  // The context runs out of work when the relay has ended.
  std::optional<RelayEnd> end() {
    context.run_for(std::chrono::seconds(10));
    return ended;
  }
};

}  // namespace gatehouse
