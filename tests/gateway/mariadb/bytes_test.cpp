#include "gateway/mariadb/bytes.h"

#include <catch2/catch.hpp>

#include "tests/gateway/mariadb/packets.h"

namespace gatehouse::mariadb {

using test::Buffer;
using test::from_hex;

TEST_CASE("integers are little-endian") {
  const Buffer bytes = from_hex("01 0302 07060504");
  ByteReader reader(bytes);
  CHECK(reader.u8() == 0x01);
  CHECK(reader.u16() == 0x0203);
  CHECK(reader.u32() == 0x04050607);
  CHECK(reader.at_end());
  CHECK(reader.ok());
}

TEST_CASE("a length-encoded integer is read as it was written") {
  const auto value = GENERATE(values<std::uint64_t>(
      {0, 1, 250, 251, 252, 255, 256, 0xFFFF, 0x10000, 0xFFFFFF, 0x1000000, 0xFFFFFFFFFFFFFFFF}));
  Buffer bytes;
  append_lenenc(bytes, value);
  ByteReader reader(bytes);
  CHECK(reader.lenenc() == value);
  CHECK(reader.ok());
  CHECK(reader.at_end());
  test::for_each_prefix(bytes, [](Bytes prefix) {
    ByteReader cut(prefix);
    CHECK(cut.lenenc() == 0);
    CHECK_FALSE(cut.ok());
  });
}

TEST_CASE("NULL and an error marker are no length-encoded integers") {
  const auto marker = GENERATE(as<std::uint8_t>(), 0xFB, 0xFF);
  const Buffer bytes(16, marker);
  ByteReader reader(bytes);
  CHECK(reader.lenenc() == 0);
  CHECK_FALSE(reader.ok());
}

TEST_CASE("a length that reaches beyond the end yields nothing, however large") {
  const auto bytes = GENERATE(values<Buffer>({
      from_hex("04 616263"),
      from_hex("fc 0400 616263"),
      from_hex("fe ffffffffffffffff 616263"),
  }));
  ByteReader reader(bytes);
  CHECK(reader.lenenc_bytes().empty());
  CHECK_FALSE(reader.ok());
}

TEST_CASE("a reader that failed once stays failed and finds nothing more") {
  const Buffer bytes = from_hex("01 02 03");
  ByteReader reader(bytes);
  CHECK(reader.u32() == 0);
  CHECK(reader.u8() == 0);
  CHECK(reader.at_end());
  CHECK_FALSE(reader.ok());
}

TEST_CASE("a text ends with its NUL, and only one of the two ways to read it does without") {
  const Buffer bytes = from_hex("6162 00 6364");
  ByteReader reader(bytes);
  CHECK(reader.text_until_nul() == "ab");
  SECTION("required") {
    CHECK(reader.text_until_nul().empty());
    CHECK_FALSE(reader.ok());
  }
  SECTION("or the end") {
    CHECK(reader.text_until_nul_or_end() == "cd");
    CHECK(reader.ok());
    CHECK(reader.at_end());
    CHECK(reader.text_until_nul_or_end().empty());
    CHECK(reader.ok());
  }
}

TEST_CASE("putting an integer changes its own bytes only") {
  Buffer bytes(8, 0xAA);
  put_u16(bytes, 0, 0x0102);
  put_u32(bytes, 3, 0x03040506);
  CHECK(bytes == from_hex("0201 aa 06050403 aa"));
}

}  // namespace gatehouse::mariadb
