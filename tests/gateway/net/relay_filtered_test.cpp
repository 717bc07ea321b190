#include <algorithm>
#include <span>
#include <utility>

#include "gateway/relay_filter.h"
#include "tests/gateway/net/relay_fixture.h"

namespace gatehouse {
namespace {

// Lets everything pass up to and with a '!', which it takes out.
class StopAtMark : public RelayFilter {
 public:
  Result from_client(std::span<const std::uint8_t> chunk) override {
    const auto mark = std::find(chunk.begin(), chunk.end(), '!');
    const auto before = static_cast<std::size_t>(mark - chunk.begin());
    return {.to_backend = chunk.first(before),
            .next = mark != chunk.end() ? Next::stop : Next::on_bytes};
  }
};

struct Filtered : StopAtMark, RelayFixture {
  Filtered() : RelayFixture(this) {}
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

// Answers each letter of the client's itself, as often as the filter is asked to, and passes the
// rest; capitals are answered when the backend has spoken.
class Answering : public RelayFilter {
 public:
  Result from_client(std::span<const std::uint8_t> chunk) override {
    pending_.insert(pending_.end(), chunk.begin(), chunk.end());
    passed_.clear();
    answer_.clear();
    while (!pending_.empty() && answer_.size() < answers_at_a_time) {
      const std::uint8_t next = pending_.front();
      if (next >= 'A' && next <= 'Z' && !std::exchange(spoken_, false)) {
        return {.to_backend = passed_, .to_client = answer_, .next = Next::after_other};
      }
      pending_.erase(pending_.begin());
      const bool is_letter = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
      if (is_letter) {
        answer_.insert(answer_.end(), answer_size, next);
      } else {
        passed_.push_back(next);
      }
    }
    return {.to_backend = passed_,
            .to_client = answer_,
            .next = pending_.empty() ? Next::on_bytes : Next::again};
  }
  Result from_backend(std::span<const std::uint8_t> chunk) override {
    spoken_ = true;
    said_.assign(chunk.begin(), chunk.end());
    std::reverse(said_.begin(), said_.end());
    return {.to_client = said_};
  }

  static constexpr std::size_t answer_size = 64;

 private:
  static constexpr std::size_t answers_at_a_time = 4 * answer_size;
  Bytes pending_, passed_, answer_, said_;
  bool spoken_ = false;
};

struct Answered : Answering, RelayFixture {
  Answered() : RelayFixture(this) {}

  bool client_reads(std::size_t size) {
    return turn_until([&] {
      client.peer.read(65536);
      return client.peer.received().size() >= size;
    });
  }
};

TEST_CASE_METHOD(Answered, "a filter answers the client, and the backend hears only the rest",
                 "[relay]") {
  client.peer.write_all(text("1a2"));
  REQUIRE(client_reads(answer_size));
  CHECK((client.peer.received() == Bytes(answer_size, 'a')));
  backend.peer.read(100);
  CHECK(backend.peer.received() == text("12"));
  CHECK(relay.bytes_in() == 2);
  CHECK(relay.bytes_out() == answer_size);
  CHECK_FALSE(ended);
}

TEST_CASE_METHOD(Answered, "a filter changes what the backend says", "[relay]") {
  backend.peer.write_all(text("abc"));
  REQUIRE(client_reads(3));
  CHECK(client.peer.received() == text("cba"));
}

TEST_CASE_METHOD(Answered, "answers of a filter that is asked again come in order", "[relay]") {
  client.peer.write_all(text("abcdefghij1"));
  REQUIRE(client_reads(10 * answer_size));
  for (std::size_t index = 0; index < 10; ++index) {
    CHECK(client.peer.received()[index * answer_size] == 'a' + index);
  }
  CHECK(turn_until([&] {
    backend.peer.read(100);
    return backend.peer.received() == text("1");
  }));
  client.peer.write_all(text("k"));
  CHECK(client_reads(11 * answer_size));
}

TEST_CASE_METHOD(Answered, "a client that does not read its answers is not listened to",
                 "[relay]") {
  const Bytes questions(4096, 'q');
  std::size_t taken = 0;
  for (std::size_t idle_turns = 0; idle_turns < 3;) {
    const std::size_t now = client.peer.write(questions);
    taken += now;
    idle_turns = now == 0 ? idle_turns + 1 : 0;
    REQUIRE(taken < 1UL << 20);
    turn();
  }
  // Each question is owed a longer answer.
  CHECK(relay.bytes_out() < taken * answer_size);
  backend.peer.write_all(text("!"));
  turn();
  REQUIRE(client_reads(taken * answer_size + 1));
  CHECK(std::count(client.peer.received().begin(), client.peer.received().end(), '!') == 1);
}

TEST_CASE_METHOD(Answered, "a client that goes without having read its answers ends the relay",
                 "[relay]") {
  SECTION("while it is not listened to") {
    const Bytes questions(4096, 'q');
    for (std::size_t idle_turns = 0; idle_turns < 3;) {
      idle_turns = client.peer.write(questions) == 0 ? idle_turns + 1 : 0;
      turn();
    }
  }
  SECTION("while the filter holds back what it has sent") {
    backend.peer.write(Bytes(1UL << 20, '.'));
    turn();
    client.peer.write_all(text("BB"));
    turn();
  }
  client.peer.close();
  CHECK(end() == RelayEnd::client_closed);
}

TEST_CASE_METHOD(Answered, "what a filter holds back waits for the other direction", "[relay]") {
  client.peer.write_all(text("aB2"));
  REQUIRE(client_reads(answer_size));
  turn();
  client.peer.read(100);
  CHECK(client.peer.received().size() == answer_size);
  backend.peer.read(100);
  CHECK(backend.peer.received().empty());

  backend.peer.write_all(text("now"));
  REQUIRE(client_reads(2 * answer_size + 3));
  CHECK(client.peer.received().back() == 'B');
  CHECK(turn_until([&] {
    backend.peer.read(100);
    return backend.peer.received() == text("2");
  }));
  CHECK_FALSE(ended);
}

TEST_CASE_METHOD(Answered, "what is said to the client in between stands behind what is on its way",
                 "[relay]") {
  SECTION("while nothing is") {
    relay.say_to_client(text("news"));
    REQUIRE(client_reads(4));
    CHECK(client.peer.received() == text("news"));
  }
  SECTION("while the client is slow") {
    const Bytes answer(1UL << 20, '.');
    const std::size_t sent = backend.peer.write(answer);
    turn();
    relay.say_to_client(text("news"));
    relay.say_to_client(text("more"));
    REQUIRE(turn_until([&] {
      client.peer.read(1000);
      return client.peer.received().size() >= sent + 8;
    }));
    CHECK(std::count(client.peer.received().begin(), client.peer.received().end(), '.') ==
          static_cast<std::ptrdiff_t>(sent));
  }
  backend.peer.write_all(text("on"));
  CHECK(turn_until([&] {
    client.peer.read(100);
    return client.peer.received().back() == 'o';
  }));
}

TEST_CASE_METHOD(Answered, "a client that closes ends a relay whose filter holds bytes back",
                 "[relay]") {
  client.peer.write_all(text("B"));
  turn();
  backend.peer.close();
  CHECK(end() == RelayEnd::backend_closed);
}

}  // namespace
}  // namespace gatehouse
