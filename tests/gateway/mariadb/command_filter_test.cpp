#include "gateway/mariadb/command_filter.h"

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "gateway/mariadb/commands.h"
#include "gateway/mariadb/own_greeting.h"
#include "tests/gateway/mariadb/packets.h"

namespace gatehouse::mariadb {

using test::Buffer;
using test::from_hex;
using namespace std::string_literals;

namespace {

using Found = CommandFilter::Found;

// The gateway's 2^31 + 5 and 2^31 + 6 are threads 77 and 4294967295 of the backend.
std::optional<std::uint32_t> find_thread(std::uint32_t id) {
  REQUIRE(id >= own_thread_id_min);
  if (id == own_thread_id_min + 5) return 77;
  if (id == own_thread_id_min + 6) return 0xFFFFFFFF;
  return std::nullopt;
}

Buffer packet(std::uint8_t sequence, Bytes payload) {
  Buffer out;
  append_packet(out, sequence, payload);
  return out;
}

Buffer packet(std::uint8_t sequence, std::string_view payload) {
  return packet(sequence, bytes_of(payload));
}

Buffer command_packet(std::uint8_t byte, std::string_view text = "") {
  Buffer payload{byte};
  append_text(payload, text);
  return packet(0, payload);
}

Buffer query(std::string_view text) {
  return command_packet(command::query, text);
}

Buffer joined(std::initializer_list<Buffer> parts) {
  Buffer all;
  for (const Buffer& part : parts) append_bytes(all, part);
  return all;
}

// What came of a whole stream.
struct Outcome {
  Buffer forwarded;
  std::vector<Buffer> change_users;
  bool malformed = false;
  std::size_t consumed = 0;
  bool operator==(const Outcome&) const = default;
};

// Feeds a filter chunk by chunk, as a relay does.
class Relay {
 public:
  void feed(Bytes chunk) {
    // In memory of its own, so that a sanitizer sees a use after it has gone.
    const Buffer own(chunk.begin(), chunk.end());
    Bytes rest(own);
    while (!rest.empty() && !outcome_.malformed) {
      Buffer out(3, 0xEE);  // what it held before is of no account
      const auto step = filter_.feed(rest, out);
      append_bytes(outcome_.forwarded, step.forward);
      outcome_.malformed = step.found == Found::malformed;
      if (step.found == Found::change_user) outcome_.change_users.push_back(step.change_user);
      if (step.found == Found::nothing) CHECK(step.consumed == rest.size());
      outcome_.consumed += step.consumed;
      rest = rest.subspan(step.consumed);
    }
  }
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }
  [[nodiscard]] bool has_quit() const { return filter_.has_quit(); }

 private:
  CommandFilter filter_{find_thread};
  Outcome outcome_;
};

Outcome whole(Bytes stream) {
  Relay relay;
  relay.feed(stream);
  return relay.outcome();
}

// A file of `count` packets, the first with sequence 2, and each beginning like a COM_CHANGE_USER.
Buffer file(std::size_t count) {
  Buffer stream;
  for (std::size_t i = 0; i < count; ++i) {
    append_packet(stream, static_cast<std::uint8_t>(2 + i), from_hex("11 00 00"));
  }
  append_packet(stream, static_cast<std::uint8_t>(2 + count), {});
  return stream;
}

}  // namespace

TEST_CASE("commands that matter to nobody pass without a copy") {
  const Buffer stream = joined({
      query("SELECT 1"),
      command_packet(0x0E),
      command_packet(command::prepare, "SELECT ?"),
      command_packet(0x17, std::string(3000, '\x11')),
      query(std::string(2000, 'x')),
      packet(0, ""),
      query("KILL 5"),
      command_packet(command::process_kill, "\x05"),
      query("LOAD DATA LOCAL INFILE 'a' INTO TABLE t"),
      file(3),
      command_packet(command::quit),
  });
  CommandFilter filter(find_thread);
  Buffer out;
  const auto step = filter.feed(stream, out);
  CHECK(step.found == Found::nothing);
  CHECK(step.consumed == stream.size());
  CHECK(step.forward.data() == stream.data());
  CHECK(step.forward.size() == stream.size());
  CHECK(out.empty());
}

TEST_CASE("the inside of a large packet passes without a copy, whatever it looks like") {
  CommandFilter filter(find_thread);
  Buffer out;
  const Buffer begin = from_hex("00000f00 17");
  CHECK(filter.feed(begin, out).forward.size() == begin.size());
  const Buffer inside = joined({command_packet(command::change_user, "bob"), Buffer(60'000, 0)});
  for (int i = 0; i < 3; ++i) {
    const auto step = filter.feed(inside, out);
    CHECK(step.found == Found::nothing);
    CHECK(step.forward.data() == inside.data());
    CHECK(step.forward.size() == inside.size());
  }
}

TEST_CASE("a change of user is taken out, with nothing before it missing and nothing behind read") {
  const Buffer before = query("SELECT 1");
  const Buffer change = packet(0, test::change_user());
  const Buffer behind = command_packet(0x0E);
  const Buffer stream = joined({before, change, behind});
  CommandFilter filter(find_thread);
  Buffer out;
  const auto step = filter.feed(stream, out);
  CHECK(step.found == Found::change_user);
  CHECK(step.change_user == test::change_user());
  CHECK(step.consumed == before.size() + change.size());
  CHECK(step.forward.data() == stream.data());
  CHECK(step.forward.size() == before.size());

  const auto next = filter.feed(Bytes(stream).subspan(step.consumed), out);
  CHECK(next.found == Found::nothing);
  CHECK(next.forward.size() == behind.size());
}

TEST_CASE("a change of user may be as long as a login, and no longer") {
  Buffer payload(login_size_max, 'x');
  payload.front() = command::change_user;
  const Outcome longest = whole(packet(0, payload));
  CHECK_FALSE(longest.malformed);
  REQUIRE(longest.change_users.size() == 1);
  CHECK(longest.change_users.front() == payload);
  CHECK(longest.forwarded.empty());

  payload.push_back('x');
  const Buffer too_long = packet(0, payload);
  CHECK(whole(too_long).malformed);
  CHECK(whole(Bytes(too_long).first(5)).malformed);
  CHECK(whole(too_long).forwarded.empty());
}

TEST_CASE("a KILL of one of the gateway's threads is sent with the backend's number") {
  struct Case {
    std::string_view name;
    Buffer sent;
    Buffer forwarded;
  };
  const auto c = GENERATE(values<Case>({
      {"as a statement", query("KILL QUERY 2147483653"), query("KILL QUERY 77")},
      {"with a number as long", query("KILL 2147483654;"), query("KILL 4294967295;")},
      {"within comments", query("/* a */kill 2147483653 -- b"), query("/* a */kill 77 -- b")},
      {"prepared", command_packet(command::prepare, "KILL 2147483653"),
       command_packet(command::prepare, "KILL 77")},
      {"as a command", command_packet(command::process_kill, "\x05\0\0\x80"s),
       command_packet(command::process_kill, "\x4D\0\0\0"s)},
      {"in the longest statement that is searched",
       query("KILL 2147483653" + std::string(1024 - 16, ' ')),
       query("KILL 77" + std::string(1024 - 16, ' '))},
  }));
  CAPTURE(c.name);
  CHECK(whole(c.sent).forwarded == c.forwarded);
  const Buffer ping = command_packet(0x0E);
  CHECK(whole(joined({ping, c.sent, ping, c.sent, ping})).forwarded ==
        joined({ping, c.forwarded, ping, c.forwarded, ping}));
}

TEST_CASE("a KILL of any other thread is sent as it is") {
  const auto sent = GENERATE(values<Buffer>({
      query("KILL 2147483655"),
      query("KILL 2147483647"),
      query("KILL 77"),
      query("KILL 6442450949"),
      query("KILL QUERY ID 2147483653"),
      query("KILL 2147483653" + std::string(1024 - 15, ' ')),
      command_packet(command::process_kill, "\x07\0\0\x80"s),
      command_packet(command::process_kill, "\x05\0\0\0"s),
      command_packet(command::process_kill, "\x05\0\0\x80\0"s),
      command_packet(command::process_kill, "\x05\0\0"s),
      command_packet(command::process_kill),
      command_packet(0x17, "KILL 2147483653"),
  }));
  CHECK(whole(sent).forwarded == sent);
}

TEST_CASE("the data of a file are no commands, though their sequence passes through 0") {
  const auto packets = GENERATE(as<std::size_t>(), 0, 1, 253, 254, 255, 600);
  const Buffer stream = joined(
      {query("LOAD DATA LOCAL INFILE 'a' INTO TABLE t"), file(packets), command_packet(0x0E)});
  const Outcome with_ping = whole(stream);
  CHECK_FALSE(with_ping.malformed);
  CHECK(with_ping.change_users.empty());
  CHECK(with_ping.forwarded == stream);
  // The file has ended: commands are commands again.
  CHECK(whole(joined({stream, command_packet(command::change_user)})).change_users.size() == 1);
}

TEST_CASE("what goes on from a packet of full length is no command, and ends no file") {
  const auto full = [](std::uint8_t sequence) {
    return packet(sequence, std::string(payload_size_max, 'x'));
  };
  const Buffer like_command = packet(1, "\x11");
  const Buffer change = command_packet(command::change_user);
  struct Case {
    std::string_view name;
    Buffer stream;
    std::size_t change_users;
  };
  Buffer full_query = full(0);
  full_query[header_size] = command::query;
  const auto c = GENERATE_COPY(values<Case>({
      {"a command and its last part", joined({full_query, like_command, change}), 1},
      {"a command and its last part, which is empty", joined({full_query, packet(1, ""), change}),
       1},
      {"a file's packet of full length", joined({full(2), packet(3, ""), packet(4, "\x11")}), 0},
      {"a file's end behind one",
       joined({full(2), packet(3, ""), packet(4, ""), command_packet(command::change_user)}), 1},
  }));
  CAPTURE(c.name);
  const Outcome outcome = whole(c.stream);
  CHECK_FALSE(outcome.malformed);
  CHECK(outcome.change_users.size() == c.change_users);
}

TEST_CASE("a command may be so long that its own packets pass through sequence 0") {
  CommandFilter filter(find_thread);
  Buffer out;
  const Buffer full(payload_size_max, command::change_user);
  for (int sequence = 0; sequence <= 256; ++sequence) {
    // The first is a query.
    Buffer header = from_hex("ffffff 00 03");
    header[3] = static_cast<std::uint8_t>(sequence);
    if (sequence > 0) header.pop_back();
    CHECK(filter.feed(header, out).found == Found::nothing);
    const Bytes rest = Bytes(full).subspan(sequence == 0 ? 1 : 0);
    CHECK(filter.feed(rest, out).forward.size() == rest.size());
  }
  CHECK(filter.feed(packet(1, ""), out).found == Found::nothing);
  CHECK(filter.feed(command_packet(command::change_user), out).found == Found::change_user);
}

TEST_CASE("a packet out of order is malformed, and nothing of it passes") {
  Buffer full = packet(0, std::string(payload_size_max, 'x'));
  const Buffer ping = command_packet(0x0E);
  struct Case {
    std::string_view name;
    Buffer before;
    Buffer packet;
  };
  const auto c = GENERATE_COPY(values<Case>({
      {"a file that repeats a number", packet(2, "a"), packet(2, "b")},
      {"a file that leaves one out", packet(2, "a"), packet(4, "b")},
      {"a file that does not end before a command", packet(2, "a"), ping},
      {"a file's end with a number left out", packet(2, "a"), packet(4, "")},
      {"a command whose second part is missing", full, ping},
      {"a command whose second part has another number", full, packet(2, "")},
  }));
  CAPTURE(c.name);
  const Outcome outcome = whole(joined({ping, c.before, c.packet, ping}));
  CHECK(outcome.malformed);
  CHECK(outcome.forwarded == joined({ping, c.before}));
}

TEST_CASE("a packet is held back only until it is known what it is") {
  struct Case {
    std::string_view name;
    Buffer stream;
    std::size_t held_size;  // as long as no more is there
  };
  const auto c = GENERATE(values<Case>({
      {"a command", command_packet(0x17, "1234"), 4},
      {"a file's data", packet(2, "1234"), 3},
      {"a short statement", query("SELECT 1"), 12},
      {"a long statement", query(std::string(1024, 'x')), 4},
      {"a COM_PROCESS_KILL", command_packet(command::process_kill, "\x09\0\0\x80"s), 8},
      {"a COM_PROCESS_KILL of another length", command_packet(command::process_kill, "\x09\0\0"s),
       4},
  }));
  CAPTURE(c.name);
  for (std::size_t size = 0; size <= c.stream.size(); ++size) {
    CAPTURE(size);
    const Bytes begin = Bytes(c.stream).first(size);
    CHECK(whole(begin).forwarded.size() == (size <= c.held_size ? 0 : size));
  }
}

TEST_CASE("however a stream is cut into chunks, the same is found and forwarded") {
  const Buffer stream = joined({
      query("SELECT 1"),
      query("KILL 2147483653"),
      packet(0, ""),
      command_packet(0x17, std::string(1100, '\x11')),
      packet(0, test::change_user()),
      command_packet(command::process_kill, "\x05\0\0\x80"s),
      query("LOAD DATA LOCAL INFILE 'a' INTO TABLE t"),
      file(260),
      command_packet(command::change_user, "x"),
      query("KILL 2147483999"),
      command_packet(command::prepare, "KILL 2147483654"),
      packet(9, "a"),
      GENERATE(packet(10, ""), packet(11, "")),  // the file's end, and none
      command_packet(command::quit),
  });
  const Outcome expected = whole(stream);
  CHECK(expected.change_users.size() == 2);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    Relay relay;
    relay.feed(Bytes(stream).first(cut));
    relay.feed(Bytes(stream).subspan(cut));
    if (relay.outcome() != expected) FAIL_CHECK("cut at " << cut);
  }
  Relay relay;
  for (std::size_t at = 0; at < stream.size(); ++at) relay.feed(Bytes(stream).subspan(at, 1));
  CHECK(relay.outcome() == expected);
  CHECK(relay.has_quit() == !expected.malformed);
}

TEST_CASE("a client has quit when COM_QUIT was its last command") {
  Relay relay;
  CHECK_FALSE(relay.has_quit());
  relay.feed(query("SELECT 1"));
  CHECK_FALSE(relay.has_quit());
  relay.feed(Bytes(command_packet(command::quit)).first(4));
  CHECK_FALSE(relay.has_quit());
  relay.feed(from_hex("01"));
  CHECK(relay.has_quit());
  relay.feed(command_packet(0x0E));
  CHECK_FALSE(relay.has_quit());
}

}  // namespace gatehouse::mariadb
