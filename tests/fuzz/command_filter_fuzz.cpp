// What a client sends in a session: in one piece, and cut into the chunks that a network may make
// of it. The first four bytes of an input are lengths of chunks, which repeat.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gateway/mariadb/command_filter.h"
#include "gateway/mariadb/own_greeting.h"
#include "tests/fuzz/require.h"

namespace gatehouse::mariadb {

using fuzz::require;

namespace {

using Buffer = std::vector<std::uint8_t>;
using Found = CommandFilter::Found;

std::optional<std::uint32_t> find_thread(std::uint32_t id) {
  require(id >= own_thread_id_min, "only the gateway's own threads are looked for");
  if (id % 2 != 0) return std::nullopt;
  return id - own_thread_id_min;
}

// What came of a stream.
struct Outcome {
  Buffer forwarded;
  std::vector<Buffer> change_users;
  bool malformed = false;
  bool quit = false;
  std::size_t consumed = 0;
  bool operator==(const Outcome&) const = default;
};

void feed(CommandFilter& filter, Bytes chunk, Outcome& outcome) {
  const Buffer own(chunk.begin(), chunk.end());
  Bytes rest(own);
  while (!rest.empty() && !outcome.malformed) {
    Buffer out;
    const auto step = filter.feed(rest, out);
    require(step.consumed <= rest.size(), "no more is consumed than there is");
    require(step.found != Found::nothing || step.consumed == rest.size(),
            "all is consumed where nothing is found");
    require((step.found == Found::change_user) == !step.change_user.empty(),
            "a change of user is there exactly if it was found");
    outcome.forwarded.insert(outcome.forwarded.end(), step.forward.begin(), step.forward.end());
    if (step.found == Found::change_user) outcome.change_users.push_back(step.change_user);
    outcome.malformed = step.found == Found::malformed;
    outcome.consumed += step.consumed;
    rest = rest.subspan(step.consumed);
  }
  outcome.quit = filter.has_quit();
}

Outcome in_chunks(Bytes stream, std::span<const std::uint8_t> lengths) {
  CommandFilter filter(find_thread);
  Outcome outcome;
  for (std::size_t i = 0; !stream.empty() && !outcome.malformed; ++i) {
    const std::size_t length = 1 + std::size_t{lengths[i % lengths.size()]};
    const Bytes chunk = stream.first(std::min(length, stream.size()));
    feed(filter, chunk, outcome);
    stream = stream.subspan(chunk.size());
  }
  return outcome;
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t lengths_size = 4;
  if (size < lengths_size) return 0;
  const Bytes stream(data + lengths_size, size - lengths_size);

  CommandFilter filter(find_thread);
  Outcome whole;
  feed(filter, stream, whole);
  require(whole.forwarded.size() <= stream.size(), "nothing is added");
  require(in_chunks(stream, {data, lengths_size}) == whole, "no cut changes the outcome");
  require(in_chunks(stream, std::array<std::uint8_t, 1>{}) == whole,
          "single bytes come to the same outcome");
  return 0;
}

}  // namespace gatehouse::mariadb
