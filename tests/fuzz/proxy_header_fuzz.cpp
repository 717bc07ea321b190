// What a trusted sender writes in front of a client's bytes.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gateway/proxy_protocol/header.h"
#include "gateway/proxy_protocol/received_header.h"
#include "tests/fuzz/require.h"

namespace gatehouse::proxy_protocol {

using fuzz::require;

namespace {

using State = ReceivedHeader::State;

bool same(const ReceivedHeader& one, const ReceivedHeader& other) {
  return one.state == other.state && one.problem == other.problem && one.size == other.size &&
         one.source == other.source && one.destination == other.destination;
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> bytes(data, size);
  const ReceivedHeader header = read_header(bytes);
  require(header.problem.empty() == (header.state != State::malformed), "what is wrong is said");
  require(header.size <= v2_size_max && header.size <= size, "a header ends within the input");
  require(header.size > 0 || header.state == State::incomplete || header.state == State::malformed,
          "a complete header has a size");
  if (header.state == State::incomplete) {
    require(size < v2_size_max, "what is waited for is bounded");
    return 0;
  }

  // However it is cut into packets, it comes to the same: never sooner, and with more behind it.
  const std::size_t end = header.state == State::malformed ? size : header.size;
  bool answered = false;
  for (std::size_t known = 0; known <= end; ++known) {
    const ReceivedHeader early = read_header(bytes.first(known));
    if (early.state == State::incomplete) {
      require(!answered, "an answer stays");
      continue;
    }
    answered = true;
    require(same(early, header), "an answer does not change");
    if (header.state != State::malformed) require(known == end, "no answer before the end");
  }
  std::vector<std::uint8_t> longer(bytes.begin(), bytes.end());
  longer.push_back('\n');
  require(same(read_header(longer), header), "what is behind it changes nothing");

  if (header.state == State::client) {
    const ReceivedHeader again = read_header(make_header(header.source, header.destination));
    require(again.state == State::client && again.source == header.source &&
                again.destination == header.destination,
            "what is written reads the same");
  }
  return 0;
}

}  // namespace gatehouse::proxy_protocol
