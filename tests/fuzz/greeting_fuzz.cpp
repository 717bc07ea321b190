// A backend's first packet: parsing it, and relaying it with other capabilities.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/greeting.h"
#include "tests/fuzz/require.h"

namespace gatehouse::mariadb {

using fuzz::require;

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes payload(data, size);
  const auto greeting = parse_greeting(payload);
  if (!greeting) return 0;
  require(greeting->scramble.size() >= 20, "a scramble has 20 bytes at least");

  std::vector<std::uint8_t> relayed(payload.begin(), payload.end());
  set_capabilities(relayed, *greeting, greeting->capabilities);
  require(std::equal(relayed.begin(), relayed.end(), data, data + size),
          "a greeting's own capabilities change nothing");

  const std::uint64_t wanted =
      (greeting->capabilities | capability::ssl) & ~(capability::compress | capability::progress);
  set_capabilities(relayed, *greeting, wanted);
  const auto again = parse_greeting(relayed);
  require(again && again->capabilities == wanted, "a relayed greeting has the capabilities given");
  require(again && again->server_version == greeting->server_version &&
              again->plugin == greeting->plugin && again->scramble == greeting->scramble &&
              again->thread_id == greeting->thread_id,
          "and all else it had");
  return 0;
}

}  // namespace gatehouse::mariadb
