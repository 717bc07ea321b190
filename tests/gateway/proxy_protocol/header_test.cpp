#include "gateway/proxy_protocol/header.h"

#include <catch2/catch.hpp>

namespace gatehouse::proxy_protocol {
namespace {

using Bytes = std::vector<std::uint8_t>;

config::SocketAddress address(std::string_view ip, std::uint16_t port) {
  return {rules::IpAddress::parse(ip).value(), port};
}

TEST_CASE("a header from IPv4 to IPv4", "[proxy]") {
  CHECK(make_header(address("192.0.2.1", 0xABCD), address("198.51.100.7", 3306)) ==
        Bytes{0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,  // signature
              0x21,                 // version 2, PROXY
              0x11, 0x00, 0x0C,     // TCP over IPv4, 12 bytes follow
              192,  0,    2,    1,  // from
              198,  51,   100,  7,  // to
              0xAB, 0xCD,           // port of the client
              0x0C, 0xEA});         // 3306
}

TEST_CASE("a header from IPv6 to IPv6", "[proxy]") {
  CHECK(make_header(address("2001:db8::1", 1), address("2001:db8:1:2:3:4:5:6", 65535)) ==
        Bytes{0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,  // signature
              0x21,              // version 2, PROXY
              0x21, 0x00, 0x24,  // TCP over IPv6, 36 bytes follow
              0x20, 0x01, 0x0D, 0xB8, 0,    0,    0,    0,    0,    0,    0,    0,
              0,    0,    0,    1,  // from
              0x20, 0x01, 0x0D, 0xB8, 0,    1,    0,    2,    0,    3,    0,    4,
              0,    5,    0,    6,  // to
              0x00, 0x01,           // port of the client
              0xFF, 0xFF});         // 65535
}

TEST_CASE("where families differ, the IPv4 address is written as IPv6", "[proxy]") {
  const Bytes start{0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51,
                    0x55, 0x49, 0x54, 0x0A, 0x21, 0x21, 0x00, 0x24};
  const Bytes v6{0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  const Bytes mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 1};
  const Bytes ports{0x00, 0x01, 0x00, 0x02};
  const auto join = [](const std::vector<Bytes>& parts) {
    Bytes all;
    for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  CHECK(make_header(address("2001:db8::1", 1), address("192.0.2.1", 2)) ==
        join({start, v6, mapped, ports}));
  CHECK(make_header(address("192.0.2.1", 1), address("2001:db8::1", 2)) ==
        join({start, mapped, v6, ports}));
}

}  // namespace
}  // namespace gatehouse::proxy_protocol
