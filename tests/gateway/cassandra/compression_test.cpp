#include "gateway/cassandra/compression.h"

#include <string>

#include <catch2/catch.hpp>

#include "tests/gateway/cassandra/frames.h"

namespace gatehouse::cassandra {

using test::Buffer;
using test::from_hex;

namespace {

Buffer text_of(std::size_t size) {
  const std::string_view sentence = "SELECT * FROM system.peers_v2 WHERE peer = '10.0.0.1'; ";
  Buffer bytes;
  while (bytes.size() < size)
    bytes.push_back(
        static_cast<std::uint8_t>(sentence[bytes.size() * bytes.size() % sentence.size()]));
  return bytes;
}

}  // namespace

TEST_CASE("an algorithm is known by its name in any case, and no other") {
  CHECK(compression_named("lz4") == Compression::lz4);
  CHECK(compression_named("LZ4") == Compression::lz4);
  CHECK(compression_named("Snappy") == Compression::snappy);
  CHECK_FALSE(compression_named("zstd"));
  CHECK_FALSE(compression_named("none"));
  CHECK_FALSE(compression_named(""));
  CHECK(compression_named(name_of(Compression::lz4)) == Compression::lz4);
  CHECK(compression_named(name_of(Compression::snappy)) == Compression::snappy);
}

TEST_CASE("a body comes back as it was") {
  const auto compression = GENERATE(Compression::lz4, Compression::snappy);
  const auto size = GENERATE(values<std::size_t>({0, 1, 9, 70'000, 1'000'000}));
  const Buffer plain = text_of(size);
  const auto compressed = compress_body(compression, plain);
  REQUIRE(compressed);
  CHECK(decompress_body(compression, *compressed, static_cast<std::uint32_t>(size)) == plain);
}

TEST_CASE("a body with LZ4 begins with its length, and its block is as other programs write it") {
  CHECK(decompress_body(Compression::lz4, from_hex("00000005 50 68656c6c6f"), 100) ==
        from_hex("68656c6c6f"));
}

TEST_CASE("a body with Snappy is as other programs write it") {
  CHECK(decompress_body(Compression::snappy, from_hex("05 10 68656c6c6f"), 100) ==
        from_hex("68656c6c6f"));
}

TEST_CASE("a body that would be longer than the limit is refused") {
  const auto compression = GENERATE(Compression::lz4, Compression::snappy);
  const auto compressed = compress_body(compression, text_of(1000));
  REQUIRE(compressed);
  CHECK(decompress_body(compression, *compressed, 1000));
  CHECK_FALSE(decompress_body(compression, *compressed, 999));
}

TEST_CASE("a body of nothing but zeros stays within what an algorithm can save") {
  const auto compression = GENERATE(Compression::lz4, Compression::snappy);
  const Buffer plain(4'000'000, 0);
  const auto compressed = compress_body(compression, plain);
  REQUIRE(compressed);
  CHECK(decompress_body(compression, *compressed, 4'000'000) == plain);
}

TEST_CASE("no prefix of a compressed body is a compressed body") {
  const auto compression = GENERATE(Compression::lz4, Compression::snappy);
  const auto compressed = compress_body(compression, text_of(300));
  REQUIRE(compressed);
  test::for_each_prefix(*compressed, [compression](Bytes prefix) {
    CHECK_FALSE(decompress_body(compression, prefix, 1000));
  });
}

TEST_CASE("a compressed body with one lie in it is none") {
  const auto [compression, body] = GENERATE(table<Compression, Buffer>({
      {Compression::lz4, from_hex("00000006 50 68656c6c6f")},
      {Compression::lz4, from_hex("00000004 50 68656c6c6f")},
      {Compression::lz4, from_hex("7fffffff 50 68656c6c6f")},
      {Compression::lz4, from_hex("ffffffff 50 68656c6c6f")},
      {Compression::lz4, from_hex("00000005 f0 68656c6c6f")},
      {Compression::snappy, from_hex("06 10 68656c6c6f")},
      {Compression::snappy, from_hex("04 10 68656c6c6f")},
      {Compression::snappy, from_hex("ffffffff0f 10 68656c6c6f")},
      {Compression::snappy, from_hex("05 10 68656c6c6f 00")},
  }));
  CHECK_FALSE(decompress_body(compression, body, 0xFFFFFFFF));
}

}  // namespace gatehouse::cassandra
