// Everything small: STARTUP, SUPPORTED, REGISTER and logins of clients; events and errors of nodes.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gateway/cassandra/error.h"
#include "gateway/cassandra/event.h"
#include "gateway/cassandra/frame.h"
#include "gateway/cassandra/handshake.h"
#include "gateway/cassandra/response.h"
#include "tests/fuzz/lies_within.h"
#include "tests/fuzz/require.h"

namespace gatehouse::cassandra {

using fuzz::require;
using mariadb::lies_within;
using Buffer = std::vector<std::uint8_t>;

namespace {

void check_client(Bytes body) {
  const auto startup = parse_startup(body);
  if (startup) {
    for (const std::string_view field : {startup->cql_version, startup->compression,
                                         startup->driver_name, startup->driver_version}) {
      require(lies_within(field, body), "what a client starts with lies within");
    }
  }
  const auto user = plain_user(body);
  require(!user || (!user->empty() && lies_within(*user, body)), "a user lies within");
  require(!user || user->find('\0') == std::string_view::npos, "a user has no NUL");
  static_cast<void>(parse_register(body));
}

void check_supported(Bytes body) {
  const auto supported = parse_supported(body);
  if (!supported) return;
  Buffer out;
  append_supported(out, *supported);
  require(parse_supported(out) == supported, "what is supported can be written");
  const Supported here = spoken_here(*supported);
  require(spoken_here(here) == here, "what is spoken here stays");
}

void check_event(Bytes content) {
  const auto event = parse_event(content);
  if (!event || event->type == Event::Type::unknown || event->type == Event::Type::schema_change) {
    return;
  }
  Buffer frame;
  append_event(frame, 5, *event);
  require(std::ranges::equal(Bytes(frame).subspan(header_size), content),
          "an event can be written as it was");
}

void check_error(Bytes content) {
  const auto error = parse_error(content);
  if (!error) return;
  const InetAddress known{.octets = {192, 0, 2, 1}, .size = 4};
  for (const std::uint8_t version : std::array<std::uint8_t, 2>{4, 5}) {
    const auto hidden =
        without_nodes(version, *error, [&known](const InetAddress&) { return known; });
    if (!hidden) continue;
    const auto again = parse_error(*hidden);
    require(again && again->code == error->code, "an error is the same error");
    const auto twice = without_nodes(version, *again, [&known](const InetAddress& node) {
      require(node == known, "no other node is left");
      return node;
    });
    require(twice == hidden, "there was nothing left to hide");
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes body(data + 1, size - 1);
  check_client(body);
  check_supported(body);
  const auto response = split_response(data[0], body);
  if (!response) return 0;
  require(response->prefix.size() + response->content.size() == body.size(), "nothing is lost");
  check_event(response->content);
  check_error(response->content);
  return 0;
}

}  // namespace gatehouse::cassandra
