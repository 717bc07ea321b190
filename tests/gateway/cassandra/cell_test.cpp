#include "gateway/cassandra/cell.h"

#include <catch2/catch.hpp>

#include "tests/gateway/cassandra/frames.h"

namespace gatehouse::cassandra {

using test::Buffer;
using test::from_hex;

using namespace std::string_view_literals;

namespace {

Value set_to(const Buffer& bytes) {
  return {Value::State::set, bytes};
}

}  // namespace

TEST_CASE("a cell holds what its column's type says, in that size and no other") {
  const Buffer four = from_hex("0a020004");
  const Buffer eight = from_hex("ffffffffffffffff");
  const Buffer sixteen = from_hex("a824eb0697f94fef92596fe07978198f");
  const Buffer one = from_hex("01");
  const Buffer zero = from_hex("00");
  const Buffer none;

  CHECK(text_in(set_to(four)) == "\x0a\x02\0\x04"sv);
  CHECK(text_in(set_to(none)) == "");
  CHECK(int_in(set_to(four)) == 0x0A020004);
  CHECK_FALSE(int_in(set_to(eight)));
  CHECK(bigint_in(set_to(eight)) == -1);
  CHECK_FALSE(bigint_in(set_to(four)));
  CHECK(inet_in(set_to(four)) == inet_address(four));
  CHECK(inet_in(set_to(sixteen)) == inet_address(sixteen));
  CHECK_FALSE(inet_in(set_to(eight)));
  REQUIRE(uuid_in(set_to(sixteen)));
  CHECK((*uuid_in(set_to(sixteen)))[15] == 0x8F);
  CHECK_FALSE(uuid_in(set_to(eight)));
  CHECK(boolean_in(set_to(one)) == true);
  CHECK(boolean_in(set_to(zero)) == false);
  CHECK_FALSE(boolean_in(set_to(none)));
}

TEST_CASE("a cell that is null holds nothing") {
  const Value null;
  CHECK_FALSE(text_in(null));
  CHECK_FALSE(int_in(null));
  CHECK_FALSE(bigint_in(null));
  CHECK_FALSE(inet_in(null));
  CHECK_FALSE(uuid_in(null));
  CHECK_FALSE(boolean_in(null));
  CHECK_FALSE(texts_in(null));
}

TEST_CASE("a set of texts reads as it was written, and not otherwise") {
  Buffer cell;
  append_texts(cell, {"-1", "", "9"});
  CHECK(texts_in(set_to(cell)) == std::vector<std::string_view>{"-1", "", "9"});
  test::for_each_prefix(cell,
                        [](Bytes prefix) { CHECK_FALSE(texts_in({Value::State::set, prefix})); });
  Buffer longer = cell;
  longer.push_back(0);
  CHECK_FALSE(texts_in(set_to(longer)));
  CHECK_FALSE(texts_in(set_to(from_hex("00000001 ffffffff"))));
  CHECK_FALSE(texts_in(set_to(from_hex("ffffffff 00000001 61"))));
  Buffer empty;
  append_texts(empty, {});
  CHECK(texts_in(set_to(empty)) == std::vector<std::string_view>{});
}

}  // namespace gatehouse::cassandra
