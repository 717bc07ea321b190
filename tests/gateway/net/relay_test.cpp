#include "gateway/net/relay.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>
#include <sys/socket.h>

#include "gateway/limits.h"
#include "gateway/net/descriptor.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;
using Bytes = std::vector<std::uint8_t>;

const Bytes quit{1, 0, 0, 0, 1};

// Bytes that do not repeat where buffers do, so that a piece lost, doubled or moved shows.
Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  std::uint32_t state = 1;
  for (std::uint8_t& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return bytes;
}

Bytes text(std::string_view characters) {
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
void use_small_buffer(int socket) {
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

// Lets everything pass up to and with a '!', which it takes out.
class StopAtMark : public RelayFilter {
 public:
  Result look_at(std::span<const std::uint8_t> chunk) override {
    const auto mark = std::find(chunk.begin(), chunk.end(), '!');
    const auto before = static_cast<std::size_t>(mark - chunk.begin());
    return {.forward = chunk.first(before), .stop = mark != chunk.end()};
  }
};

struct Fixture {
  asio::io_context context{1};
  Side client{context};
  Side backend{context};
  Bytes scratch = Bytes(limits::relay_scratch_size);
  StopAtMark filter;
  Relay relay;
  std::optional<RelayEnd> ended;

  explicit Fixture(bool filtered = false)
      : relay(client.stream, backend.stream, scratch, filtered ? &filter : nullptr) {
    run();
  }
  void run() {
    ended.reset();
    context.restart();
    asio::co_spawn(context, relay.run(), [this](const std::exception_ptr& failure, RelayEnd how) {
      if (!failure) ended = how;
    });
    turn();
  }
  // Nothing in a test may outlive the relay's handlers.
  ~Fixture() {
    client.stream.abort();
    backend.stream.abort();
    context.run_for(10s);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  // Everything the relay can do now.
  void turn() { context.poll(); }

  // Turn by turn, until there is nothing left to wait for.
  template <typename Condition>
  bool turn_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (!condition() && std::chrono::steady_clock::now() < deadline) turn();
    return condition();
  }

  // The context runs out of work when the relay has ended.
  std::optional<RelayEnd> end() {
    context.run_for(10s);
    return ended;
  }
};

struct Filtered : Fixture {
  Filtered() : Fixture(true) {}
};

TEST_CASE_METHOD(Filtered, "a filter stops the relay behind what it lets pass", "[relay]") {
  client.peer.write_all(text("SELECT 1!"));
  REQUIRE(turn_until([&] { return ended.has_value(); }));
  CHECK(ended == RelayEnd::intercepted);
  backend.peer.read(100);
  CHECK(backend.peer.received() == text("SELECT 1"));
  CHECK(relay.bytes_in() == 8);
}

TEST_CASE_METHOD(Filtered, "a relay that was stopped goes on when it is run again", "[relay]") {
  client.peer.write_all(text("one!"));
  REQUIRE(turn_until([&] { return ended.has_value(); }));
  run();
  client.peer.write_all(text("two"));
  backend.peer.write_all(text("answer"));
  REQUIRE(turn_until([&] {
    backend.peer.read(100);
    client.peer.read(100);
    return backend.peer.received().size() == 6 && client.peer.received().size() == 6;
  }));
  CHECK(backend.peer.received() == text("onetwo"));
  CHECK(client.peer.received() == text("answer"));
  CHECK_FALSE(ended);
}

TEST_CASE_METHOD(Filtered, "what slow receivers had not taken is written before the stop",
                 "[relay]") {
  const Bytes long_answer = pattern(1UL << 20);
  std::span<const std::uint8_t> to_answer = long_answer;
  to_answer = to_answer.subspan(backend.peer.write(to_answer));
  turn();
  client.peer.write_all(text("stop!"));
  const std::size_t sent = long_answer.size() - to_answer.size();
  REQUIRE(turn_until([&] {
    backend.peer.read(100);
    client.peer.read(1000);
    return ended.has_value();
  }));
  CHECK(ended == RelayEnd::intercepted);
  CHECK(backend.peer.received() == text("stop"));
  run();
  REQUIRE(turn_until([&] {
    client.peer.read(1000);
    return client.peer.received().size() >= sent;
  }));
  CHECK(std::equal(client.peer.received().begin(), client.peer.received().end(),
                   long_answer.begin()));
}

TEST_CASE_METHOD(Fixture, "bytes pass both ways and are counted", "[relay]") {
  client.peer.write_all(text("SELECT 1"));
  backend.peer.write_all(text("1"));
  REQUIRE(turn_until([&] {
    backend.peer.read(100);
    client.peer.read(100);
    return backend.peer.received().size() == 8 && client.peer.received().size() == 1;
  }));
  CHECK(backend.peer.received() == text("SELECT 1"));
  CHECK(client.peer.received() == text("1"));
  CHECK(relay.bytes_in() == 8);
  CHECK(relay.bytes_out() == 1);
  CHECK_FALSE(ended);
}

TEST_CASE_METHOD(Fixture, "8 MB both ways at once reach slow receivers intact", "[relay]") {
  constexpr std::size_t size = 8UL << 20;
  const Bytes request = pattern(size);
  Bytes answer = request;
  std::reverse(answer.begin(), answer.end());
  std::span<const std::uint8_t> to_send = request;
  std::span<const std::uint8_t> to_answer = answer;
  REQUIRE(turn_until([&] {
    to_send = to_send.subspan(client.peer.write(to_send));
    to_answer = to_answer.subspan(backend.peer.write(to_answer));
    // Less than is sent at a time: the relay has to hold back.
    backend.peer.read(1500);
    client.peer.read(1000);
    return backend.peer.received().size() >= size && client.peer.received().size() >= size;
  }));
  // Not compared by CHECK: it would print both.
  CHECK((backend.peer.received() == request));
  CHECK((client.peer.received() == answer));
  CHECK(relay.bytes_in() == size);
  CHECK(relay.bytes_out() == size);
  CHECK_FALSE(ended);
}

TEST_CASE_METHOD(Fixture, "a receiver that does not read stops the sender, not the other way",
                 "[relay]") {
  const Bytes piece = pattern(4096);
  std::size_t taken = 0;
  for (std::size_t idle_turns = 0; idle_turns < 3;) {
    const std::size_t now = client.peer.write(piece);
    taken += now;
    idle_turns = now == 0 ? idle_turns + 1 : 0;
    REQUIRE(taken < 1UL << 20);  // the kernel's buffers and one of the relay's hold less
    turn();
  }
  CHECK(relay.bytes_in() < taken);

  backend.peer.write_all(text("still here"));
  CHECK(turn_until([&] {
    client.peer.read(100);
    return client.peer.received() == text("still here");
  }));
}

TEST_CASE_METHOD(Fixture, "what was sent just before a close is delivered", "[relay]") {
  SECTION("by the client") {
    client.peer.write_all(text("last words"));
    client.peer.close();
    CHECK(end() == RelayEnd::client_closed);
    backend.peer.read(100);
    CHECK(backend.peer.received() == text("last words"));
    CHECK(relay.bytes_in() == 10);
  }
  SECTION("by the backend") {
    backend.peer.write_all(text("last words"));
    backend.peer.close();
    CHECK(end() == RelayEnd::backend_closed);
    client.peer.read(100);
    CHECK(client.peer.received() == text("last words"));
    CHECK(relay.bytes_out() == 10);
  }
  SECTION("by the backend, to a client that is slow to read") {
    const Bytes answer = pattern(1UL << 20);
    std::span<const std::uint8_t> to_send = answer;
    REQUIRE(turn_until([&] {
      to_send = to_send.subspan(backend.peer.write(to_send));
      if (!to_send.empty()) client.peer.read(1000);
      return to_send.empty();
    }));
    backend.peer.close();
    turn();
    CHECK_FALSE(ended);
    CHECK(turn_until([&] {
      client.peer.read(1000);
      return ended.has_value();
    }));
    CHECK(ended == RelayEnd::backend_closed);
    while (client.peer.received().size() < answer.size()) {
      const std::size_t before = client.peer.received().size();
      client.peer.read(answer.size());
      REQUIRE(client.peer.received().size() > before);
    }
    CHECK((client.peer.received() == answer));
    CHECK(relay.bytes_out() == answer.size());
  }
}

TEST_CASE_METHOD(Fixture, "the side that closes first ends the relay", "[relay]") {
  SECTION("the client") {
    client.peer.close();
    CHECK(end() == RelayEnd::client_closed);
  }
  SECTION("the backend") {
    backend.peer.close();
    CHECK(end() == RelayEnd::backend_closed);
  }
  SECTION("the client, while an answer is under way to it") {
    const Bytes answer = pattern(1UL << 20);
    std::span<const std::uint8_t> to_send = answer;
    for (std::size_t idle_turns = 0; idle_turns < 3;) {
      const std::size_t now = backend.peer.write(to_send);
      to_send = to_send.subspan(now);
      idle_turns = now == 0 ? idle_turns + 1 : 0;
      turn();
    }
    REQUIRE_FALSE(to_send.empty());
    client.peer.close();
    CHECK(end() == RelayEnd::client_closed);
  }
  CHECK(client.stream.socket().is_open());
  CHECK(backend.stream.socket().is_open());
}

TEST_CASE_METHOD(Fixture, "a backend that closes because the client quit did not close first",
                 "[relay]") {
  const auto send = [&](const Bytes& bytes) {
    const std::size_t before = backend.peer.received().size();
    client.peer.write_all(bytes);
    REQUIRE(turn_until([&] {
      backend.peer.read(100);
      return backend.peer.received().size() == before + bytes.size();
    }));
  };
  SECTION("after COM_QUIT") {
    send(text("a query"));
    send(quit);
    backend.peer.close();
    CHECK(end() == RelayEnd::client_closed);
  }
  SECTION("after COM_QUIT behind other packets") {
    send({1, 0, 0, 0, 14, 1, 0, 0, 0, 1});
    backend.peer.close();
    CHECK(end() == RelayEnd::client_closed);
  }
  SECTION("unless something came behind it") {
    send(quit);
    send(text("another"));
    backend.peer.close();
    CHECK(end() == RelayEnd::backend_closed);
  }
  SECTION("unless it was another command") {
    send({1, 0, 0, 0, 14});
    backend.peer.close();
    CHECK(end() == RelayEnd::backend_closed);
  }
  SECTION("nor if the backend said it") {
    backend.peer.write_all(quit);
    backend.peer.close();
    CHECK(end() == RelayEnd::backend_closed);
  }
}

TEST_CASE_METHOD(Fixture, "an abort ends the relay", "[relay]") {
  SECTION("of both streams") {
    client.stream.abort();
    backend.stream.abort();
  }
  SECTION("of the client's stream") {
    client.stream.abort();
  }
  SECTION("of the backend's stream") {
    backend.stream.abort();
  }
  SECTION("while a receiver is slow") {
    const Bytes piece = pattern(4096);
    while (client.peer.write(piece) > 0) turn();
    client.stream.abort();
    backend.stream.abort();
  }
  CHECK(end() == RelayEnd::aborted);
}

}  // namespace
}  // namespace gatehouse
