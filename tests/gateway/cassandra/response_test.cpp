#include "gateway/cassandra/response.h"

#include <catch2/catch.hpp>

#include "gateway/cassandra/frame.h"
#include "tests/gateway/cassandra/frames.h"

namespace gatehouse::cassandra {

using test::Buffer;
using test::copy;
using test::from_hex;
using test::joined;

TEST_CASE("a response's content begins behind what its flags announce") {
  const Buffer trace(16, 0xAA);
  const Buffer warnings = from_hex("0002 0001 61 0000");
  const Buffer payload = from_hex("0001 0001 61 00000002 0102");
  const Buffer content = from_hex("00000001");
  struct Case {
    std::uint8_t flags;
    Buffer prefix;
  };
  const auto c = GENERATE_COPY(values<Case>({
      {0, {}},
      {frame_flag::tracing, trace},
      {frame_flag::warnings, warnings},
      {frame_flag::custom_payload, payload},
      {frame_flag::tracing | frame_flag::warnings | frame_flag::custom_payload,
       joined({trace, warnings, payload})},
  }));
  const Buffer body = joined({c.prefix, content});
  const auto response = split_response(c.flags, body);
  REQUIRE(response);
  CHECK(copy(response->prefix) == c.prefix);
  CHECK(copy(response->content) == content);
  test::for_each_prefix(c.prefix,
                        [&](Bytes prefix) { CHECK_FALSE(split_response(c.flags, prefix)); });
}

}  // namespace gatehouse::cassandra
