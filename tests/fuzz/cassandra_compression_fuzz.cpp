// A compressed body of a frame, and a block of a segment.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "gateway/cassandra/compression.h"
#include "tests/fuzz/require.h"

namespace gatehouse::cassandra {

using fuzz::require;

namespace {

constexpr std::uint32_t limit = 64 * 1024;

void check(Compression compression, Bytes body) {
  const auto plain = decompress_body(compression, body, limit);
  if (plain) {
    require(plain->size() <= limit, "the limit holds");
    const auto again = compress_body(compression, *plain);
    require(again && decompress_body(compression, *again, limit) == plain,
            "what was decompressed can be compressed and is the same");
  }
  const auto compressed = compress_body(compression, body);
  require(compressed.has_value(), "everything of this size can be compressed");
  const auto back = decompress_body(compression, *compressed, limit);
  require(back && std::vector(body.begin(), body.end()) == *back, "it comes back as it was");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes body(data, size);
  check(Compression::lz4, body);
  check(Compression::snappy, body);
  if (size > 2) {
    const std::size_t claimed = data[0] | std::size_t{data[1]} << 8;
    const auto plain = decompress_lz4_block(body.subspan(2), claimed);
    require(!plain || plain->size() == claimed, "a block is as long as it was said to be");
  }
  return 0;
}

}  // namespace gatehouse::cassandra
