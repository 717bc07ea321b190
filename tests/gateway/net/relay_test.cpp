#include <algorithm>
#include <optional>
#include <span>

#include "tests/gateway/net/relay_fixture.h"

namespace gatehouse {
namespace {

using Fixture = RelayFixture;

const Bytes quit{1, 0, 0, 0, 1};

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
