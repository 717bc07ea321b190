#include "gateway/cassandra/compression.h"

#include <algorithm>
#include <limits>

#include <lz4.h>
#include <snappy-c.h>

#include "gateway/ascii.h"
#include "gateway/cassandra/frame.h"

namespace gatehouse::cassandra {

namespace {

using Buffer = std::vector<std::uint8_t>;

constexpr std::size_t length_size = 4;  // before the block of a v3 or v4 body with LZ4

const char* chars(const std::uint8_t* bytes) noexcept {
  return reinterpret_cast<const char*>(bytes);
}
char* chars(std::uint8_t* bytes) noexcept {
  return reinterpret_cast<char*>(bytes);
}

bool fits_int(std::size_t size) noexcept {
  return size <= static_cast<std::size_t>(std::numeric_limits<int>::max());
}

std::optional<Buffer> decompress_snappy(Bytes body, std::uint32_t limit) {
  std::size_t length = 0;
  if (snappy_uncompressed_length(chars(body.data()), body.size(), &length) != SNAPPY_OK) {
    return std::nullopt;
  }
  // Three bytes of it stand for 64 at most: a longer claim is a lie that would take memory.
  constexpr std::size_t beyond_best_ratio = 32;
  if (length > limit || length / beyond_best_ratio > body.size()) return std::nullopt;
  Buffer plain(length);
  if (snappy_uncompress(chars(body.data()), body.size(), chars(plain.data()), &length) !=
      SNAPPY_OK) {
    return std::nullopt;
  }
  return plain;
}

std::optional<Buffer> compress_snappy(Bytes body) {
  std::size_t size = snappy_max_compressed_length(body.size());
  Buffer compressed(size);
  if (snappy_compress(chars(body.data()), body.size(), chars(compressed.data()), &size) !=
      SNAPPY_OK) {
    return std::nullopt;
  }
  compressed.resize(size);
  return compressed;
}

}  // namespace

std::optional<Compression> compression_named(std::string_view name) noexcept {
  if (equals_ignoring_case(name, "lz4")) return Compression::lz4;
  if (equals_ignoring_case(name, "snappy")) return Compression::snappy;
  return std::nullopt;
}

std::string_view name_of(Compression compression) noexcept {
  switch (compression) {
    case Compression::none:
      break;
    case Compression::lz4:
      return "lz4";
    case Compression::snappy:
      return "snappy";
  }
  return "none";
}

std::optional<Buffer> decompress_body(Compression compression, Bytes body, std::uint32_t limit) {
  if (compression == Compression::snappy) return decompress_snappy(body, limit);
  ByteReader reader(body);
  const std::uint32_t length = reader.u32();
  if (!reader.ok() || length > limit) return std::nullopt;
  return decompress_lz4_block(reader.rest(), length);
}

std::optional<Bytes> plain_body(Compression compression, std::uint8_t flags, Bytes body,
                                std::uint32_t limit, Buffer& memory) {
  if ((flags & frame_flag::compressed) == 0) return body;
  if (compression == Compression::none) return std::nullopt;
  auto plain = decompress_body(compression, body, limit);
  if (!plain) return std::nullopt;
  memory = *std::move(plain);
  return memory;
}

std::optional<Buffer> compress_body(Compression compression, Bytes body) {
  if (compression == Compression::snappy) return compress_snappy(body);
  auto block = compress_lz4_block(body);
  if (!block) return std::nullopt;
  Buffer out;
  out.reserve(length_size + block->size());
  append_u32(out, static_cast<std::uint32_t>(body.size()));
  append_bytes(out, *block);
  return out;
}

std::optional<Buffer> decompress_lz4_block(Bytes block, std::size_t length) {
  // One byte of a block stands for 255 at most: a longer claim is a lie that would take memory.
  constexpr std::size_t best_ratio = 255;
  if (!fits_int(block.size()) || !fits_int(length) || length / best_ratio > block.size()) {
    return std::nullopt;
  }
  Buffer plain(std::max<std::size_t>(length, 1));  // the library wants a place even for nothing
  const int size = LZ4_decompress_safe(chars(block.data()), chars(plain.data()),
                                       static_cast<int>(block.size()), static_cast<int>(length));
  if (size < 0 || static_cast<std::size_t>(size) != length) return std::nullopt;
  plain.resize(length);
  return plain;
}

std::optional<Buffer> compress_lz4_block(Bytes plain) {
  if (plain.size() > LZ4_MAX_INPUT_SIZE) return std::nullopt;
  const int bound = LZ4_compressBound(static_cast<int>(plain.size()));
  Buffer block(static_cast<std::size_t>(bound));
  const int size = LZ4_compress_default(chars(plain.data()), chars(block.data()),
                                        static_cast<int>(plain.size()), bound);
  if (size <= 0) return std::nullopt;
  block.resize(static_cast<std::size_t>(size));
  return block;
}

}  // namespace gatehouse::cassandra
