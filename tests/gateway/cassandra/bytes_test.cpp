#include "gateway/cassandra/bytes.h"

#include <catch2/catch.hpp>

#include "tests/gateway/cassandra/frames.h"

namespace gatehouse::cassandra {

using test::Buffer;
using test::copy;
using test::from_hex;

TEST_CASE("integers are big-endian") {
  const Buffer bytes = from_hex("01 0203 04050607 ffffffff 08090a0b0c0d0e0f");
  ByteReader reader(bytes);
  CHECK(reader.u8() == 1);
  CHECK(reader.u16() == 0x0203);
  CHECK(reader.u32() == 0x04050607);
  CHECK(reader.i32() == -1);
  CHECK(reader.u64() == 0x08090A0B0C0D0E0F);
  CHECK(reader.ok());
  CHECK(reader.at_end());
}

TEST_CASE("what does not fit spoils the reader for good") {
  const Buffer bytes = from_hex("0005 616263");
  ByteReader reader(bytes);
  CHECK(reader.string().empty());
  CHECK_FALSE(reader.ok());
  CHECK(reader.at_end());
  CHECK(reader.u8() == 0);
}

TEST_CASE("a value is set, null or unset, and nothing else") {
  struct Case {
    std::string_view name;
    Buffer bytes;
    bool ok;
    Value::State state;
    std::string_view text;
  };
  const auto c = GENERATE(values<Case>({
      {"set", from_hex("00000002 6162"), true, Value::State::set, "ab"},
      {"set to nothing", from_hex("00000000"), true, Value::State::set, ""},
      {"null", from_hex("ffffffff"), true, Value::State::null, ""},
      {"unset", from_hex("fffffffe"), true, Value::State::unset, ""},
      {"another negative length", from_hex("fffffffd"), false, Value::State::null, ""},
      {"longer than what is there", from_hex("00000003 6162"), false, Value::State::null, ""},
      {"cut short", from_hex("000000"), false, Value::State::null, ""},
  }));
  CAPTURE(c.name);
  ByteReader reader(c.bytes);
  const Value value = reader.value();
  CHECK(reader.ok() == c.ok);
  CHECK(value.state == c.state);
  CHECK(as_text(value.bytes) == c.text);
}

TEST_CASE("an address has four octets or sixteen") {
  const auto [bytes, ok] = GENERATE(table<Buffer, bool>({
      {from_hex("04 0a010004"), true},
      {from_hex("10 20010db8000000000000000000000001"), true},
      {from_hex("05 0a01000400"), false},
      {from_hex("00"), false},
      {from_hex("04 0a0100"), false},
  }));
  ByteReader reader(bytes);
  const InetAddress address = reader.inet_address();
  CHECK(reader.ok() == ok);
  if (!ok) return;
  Buffer again;
  append_inet_address(again, address);
  CHECK(again == bytes);
}

TEST_CASE("a long string of a negative length is none") {
  const Buffer bytes = from_hex("ffffffff 6162");
  ByteReader reader(bytes);
  CHECK(reader.long_string().empty());
  CHECK_FALSE(reader.ok());
}

TEST_CASE("lists and maps that are skipped may not lie about their length") {
  const auto [bytes, ok] = GENERATE(table<Buffer, bool>({
      {from_hex("0002 0001 61 0000  0001 0001 61 00000001 62"), true},
      {from_hex("0000  0001 0001 61 ffffffff"), true},
      {from_hex("ffff 0001 61  0000"), false},
      {from_hex("0000  ffff 0001 61 00000001 62"), false},
  }));
  ByteReader reader(bytes);
  reader.skip_string_list();
  reader.skip_bytes_map();
  CHECK(reader.ok() == ok);
  CHECK(reader.at_end());
}

TEST_CASE("what is written reads the same") {
  Buffer out;
  append_u8(out, 1);
  append_u16(out, 2);
  append_u32(out, 3);
  append_u64(out, 4);
  append_string(out, "name");
  append_long_bytes(out, bytes_of("text"));
  append_null(out);
  put_u32(out, 3, 5);
  ByteReader reader(out);
  CHECK(reader.u8() == 1);
  CHECK(reader.u16() == 2);
  CHECK(reader.u32() == 5);
  CHECK(reader.u64() == 4);
  CHECK(reader.string() == "name");
  CHECK(reader.long_string() == "text");
  CHECK(reader.value().state == Value::State::null);
  CHECK(reader.ok());
  CHECK(reader.at_end());
}

TEST_CASE("a string too long for its form is cut, never its length alone") {
  const std::string text(70'000, 'x');
  Buffer out;
  append_string(out, text);
  ByteReader reader(out);
  CHECK(reader.string().size() == 65535);
  CHECK(reader.ok());
  CHECK(reader.at_end());
}

}  // namespace gatehouse::cassandra
