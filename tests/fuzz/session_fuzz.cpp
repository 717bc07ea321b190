// A whole session: the real code from accept to the audit's record, between a client and servers
// that do what the input says.
//
// The input: a byte that names the listener, a byte of options, and then steps. The first byte of a
// step is who does what, and with its highest bit that the gateway sees it only together with the
// next step. What follows depends on the step:
//   bytes: a length, and so many bytes       message: its number, a place in it, what to flip there
//   time: tenths of a second                 rules: which
//   tls: of which version, and whether it names a server
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <sys/socket.h>

#include "tests/fuzz/own_time.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/session_client.h"
#include "tests/fuzz/session_messages.h"
#include "tests/fuzz/session_world.h"

namespace gatehouse::fuzz {

namespace {

struct Door {
  std::string_view name;
  config::Protocol protocol;
  bool is_proxied = false;
};
constexpr std::array<Door, 8> doors{{{"transparent", config::Protocol::mariadb},
                                     {"routed", config::Protocol::mariadb},
                                     {"single", config::Protocol::cassandra},
                                     {"ringed", config::Protocol::cassandra},
                                     {"proxied-transparent", config::Protocol::mariadb, true},
                                     {"proxied-routed", config::Protocol::mariadb, true},
                                     {"proxied-single", config::Protocol::cassandra, true},
                                     {"proxied-ringed", config::Protocol::cassandra, true}}};

namespace option {
constexpr std::uint8_t denied_source = 1;      // one whom no rule lets in
constexpr std::uint8_t ipv6 = 2;               // the client's address
constexpr std::uint8_t unread_by_client = 4;   // until the script is over
constexpr std::uint8_t unread_by_backend = 8;  // likewise
constexpr std::uint8_t nobody_closes = 16;     // when the script is over
constexpr std::uint8_t full = 32;              // somebody else has all places
constexpr std::uint8_t untrusted = 64;         // as a sender of PROXY headers
}  // namespace option

enum class Step : std::uint8_t {
  client_bytes,
  client_message,
  client_shutdown,
  client_close,
  backend_bytes,
  backend_message,
  backend_shutdown,
  backend_close,
  time,
  rules,
  killed,
  drained,
  client_tls,
};
constexpr std::uint8_t step_count = 13;
constexpr std::uint8_t together_with_next = 0x80;

// The least that a client says before the final decision: a login's fixed part, a request's header.
constexpr std::size_t shortest_login = 4 + 32;
constexpr std::size_t shortest_request = 9;
// What the gateway may say itself: a PROXY header, and the login of somebody absent with an answer.
constexpr std::size_t own_words = 256;

std::uint8_t take(Bytes& bytes) {
  if (bytes.empty()) return 0;
  const std::uint8_t first = bytes.front();
  bytes = bytes.subspan(1);
  return first;
}

config::SocketAddress source_of(const Door& door, std::uint8_t options) {
  const bool is_denied = (options & option::denied_source) != 0;
  std::string_view text = is_denied ? "203.0.113.7" : "192.0.2.7";
  if ((options & option::ipv6) != 0) text = is_denied ? "2001:db8:2::7" : "2001:db8:1::7";
  if (door.is_proxied) text = (options & option::untrusted) != 0 ? "10.9.9.9" : "10.0.0.7";
  return {*rules::IpAddress::parse(text), 40'000};
}

class Run {
 public:
  Run(World& world, const Door& door, std::uint8_t options)
      : world_(world), door_(door), options_(options) {
    world_.begin();
    if (has(option::full)) world_.take_all_places();
    client_ = ClientSide(world_.connect(door_.name, source_of(door_, options_)));
    turn();
  }

  void follow(Bytes script) {
    while (!script.empty()) {
      const std::uint8_t first = take(script);
      step(Step{static_cast<std::uint8_t>((first & ~together_with_next) % step_count)}, script);
      if ((first & together_with_next) == 0) turn();
    }
    turn();
  }

  void finish() {
    is_over_ = true;
    if (!has(option::nobody_closes)) close_all();
    wait_for_end();
    if (world_.is_serving()) {
      require(world_.has_established(), "who does not get in does not stay");
      close_all();
      wait_for_end();
    }
    require(!world_.is_serving(), "when both sides have closed, the session ends");
    client_.close();
    const Ends ends = world_.end();
    require(ends.ended + ends.health_checks == 1, "a session has one end");
    // A routed session is opened again for each other user.
    require(ends.opened <= 1 || door_.name.ends_with("routed"), "a session is opened once");
    if (is_kept_out()) require(ends.opened == 0, "who is denied opens no session");
  }

 private:
  [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (options_ & flag) != 0; }
  [[nodiscard]] bool is_kept_out() const noexcept {
    return door_.is_proxied ? has(option::untrusted) : has(option::denied_source);
  }

  void step(Step step, Bytes& script) {
    switch (step) {
      case Step::client_bytes:
        said_by_client_ += client_.say(take_bytes(script));
        return;
      case Step::client_message:
        said_by_client_ += client_.say(take_message(client_messages(door_.protocol), script));
        return;
      case Step::client_shutdown:
        return client_.shut_down();
      case Step::client_close:
        return client_.close();
      case Step::backend_bytes:
        return backend_says(take_bytes(script));
      case Step::backend_message:
        return backend_says(take_message(backend_messages(door_.protocol), script));
      case Step::backend_shutdown:
        if (!world_.backends().empty()) {
          ::shutdown(world_.backends().back().socket.get(), SHUT_WR);
        }
        return;
      case Step::backend_close:
        if (!world_.backends().empty()) world_.backends().back().socket = {};
        return;
      case Step::time:
        return pass(std::chrono::milliseconds(100 * take(script)));
      case Step::rules:
        return change_rules(take(script));
      case Step::killed:
        return world_.cut_all(CloseReason::killed);
      case Step::drained:
        return world_.cut_all(CloseReason::drained);
      case Step::client_tls: {
        const std::uint8_t how = take(script);
        return client_.begin_tls((how & 1) != 0, (how & 2) != 0);
      }
    }
  }

  static test::Buffer take_bytes(Bytes& script) {
    const std::size_t size = std::min<std::size_t>(take(script), script.size());
    const test::Buffer bytes(script.begin(), script.begin() + static_cast<std::ptrdiff_t>(size));
    script = script.subspan(size);
    return bytes;
  }

  static test::Buffer take_message(const Messages& messages, Bytes& script) {
    test::Buffer message = messages.at(take(script) % messages.size());
    const std::size_t place = take(script) % message.size();
    message.at(place) ^= take(script);
    return message;
  }

  void backend_says(const test::Buffer& bytes) {
    if (world_.backends().empty()) return;
    ::send(world_.backends().back().socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  void change_rules(std::uint8_t which) {
    const auto rules = static_cast<RulesNow>(which % rules_count);
    const bool shuts_out = rules == RulesNow::closed || rules == RulesNow::no_entry;
    if (!shuts_out) {
      received_when_shut_.reset();
    } else if (!received_when_shut_) {
      world_.turn();
      hear_backends(false);
      received_when_shut_ = received_by_backends();
    }
    world_.put_in_force(rules);
  }

  void turn() {
    world_.turn();
    client_.go_on();
    if (is_over_ || !has(option::unread_by_client)) client_.read_away();
    hear_backends(!is_over_ && has(option::unread_by_backend));
    check();
  }

  void hear_backends(bool are_left) {
    for (BackendSide& backend : world_.backends()) {
      backend.received += read(backend.socket, are_left);
    }
  }

  static std::size_t read(const Descriptor& socket, bool is_left) {
    std::array<std::uint8_t, 4096> bytes{};
    std::size_t count = 0;
    while (socket && !is_left) {
      const auto size = ::recv(socket.get(), bytes.data(), bytes.size(), 0);
      if (size <= 0) break;
      count += static_cast<std::size_t>(size);
    }
    return count;
  }

  [[nodiscard]] std::size_t received_by_backends() const {
    std::size_t received = 0;
    for (const BackendSide& backend : world_.backends()) received += backend.received;
    return received;
  }

  void check() const {
    const auto& backends = world_.backends();
    if (is_kept_out()) require(backends.empty(), "who is denied reaches no server");
    for (const BackendSide& backend : backends) {
      require(backend.server != "hidden", "a server without rules is reached by nobody");
    }
    const std::size_t received = received_by_backends();
    if (door_.protocol == config::Protocol::cassandra) {
      const bool may_be_in = said_by_client_ >= shortest_request;
      require(may_be_in || received <= own_words, "no node hears a client before its request");
    } else {
      const bool may_be_in = said_by_client_ >= shortest_login;
      require(may_be_in || received <= own_words, "no server hears a client before its login");
      const bool is_routed = door_.name.ends_with("routed");
      require(may_be_in || !is_routed || backends.empty(), "no server is dialled before a login");
    }
    if (received_when_shut_) {
      require(!world_.has_established(), "whom the rules shut out does not stay");
      require(received <= *received_when_shut_ + own_words, "no server hears whom rules shut out");
    }
  }

  void close_all() {
    client_.close();
    for (BackendSide& backend : world_.backends()) backend.socket = {};
    turn();
    // One that was dialled just then.
    for (BackendSide& backend : world_.backends()) backend.socket = {};
  }

  // All deadlines that a session can be under, one behind the other, are over by then.
  void wait_for_end() {
    constexpr int seconds = 40;
    for (int second = 0; second < seconds && world_.is_serving(); ++second) {
      pass(std::chrono::seconds(1));
      turn();
    }
  }

  World& world_;
  const Door& door_;
  std::uint8_t options_;
  ClientSide client_;
  std::size_t said_by_client_ = 0;
  std::optional<std::size_t> received_when_shut_;  // by servers, while the rules let nobody in
  bool is_over_ = false;
};

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  static World world;
  Run run(world, doors.at(data[0] % doors.size()), data[1]);
  run.follow(Bytes(data + 2, size - 2));
  run.finish();
  return 0;
}

}  // namespace gatehouse::fuzz
