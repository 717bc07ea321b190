// Packets that real programs sent, and what tests do to packets. Payloads only, without the header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "gateway/mariadb/bytes.h"
#include "gateway/mariadb/packet.h"
#include "tests/gateway/buffers.h"

namespace gatehouse::mariadb::test {

using gatehouse::test::Buffer;
using gatehouse::test::for_each_prefix;
using gatehouse::test::from_hex;

// MariaDB 10.11.19 with TLS: thread 28, capabilities 0x1D'81FFFFFE.
inline Buffer mariadb_greeting() {
  return from_hex(
      "0a 352e352e352d31302e31312e31392d4d6172696144422d302b6465623132753100 1c000000"
      "682c403c4e512c29 00 feff 08 0200 ff81 15 000000000000 1d000000 282a3d317d472a3b2855532300"
      "6d7973716c5f6e61746976655f70617373776f726400");
}

// The `mariadb` program of 10.11 asking for TLS.
inline Buffer client_ssl_request() {
  return from_hex("8caabf00 00000010 21 00000000000000000000000000000000000000 1d000000");
}

// The same program logging in without TLS: alice with a password, database shop.
inline Buffer client_login() {
  return from_hex(
      "8ca2bf00 00000010 21 00000000000000000000000000000000000000 1d000000 616c69636500"
      "14 c4cdda810ea2012cb49e53290cc9f1a00c6a94f1 73686f7000"
      "6d7973716c5f6e61746976655f70617373776f726400 7f 035f6f73 054c696e7578"
      "0c5f636c69656e745f6e616d65 0a6c69626d617269616462 045f706964 053131343632"
      "0f5f636c69656e745f76657273696f6e 06332e332e3230 095f706c6174666f726d 067838365f3634"
      "0c70726f6772616d5f6e616d65 056d7973716c 0c5f7365727665725f686f7374 093132372e302e302e31");
}

// A session going on as bob, of the server orders, with the same program.
inline Buffer change_user() {
  return from_hex(
      "11 626f62406f726465727300 14c4cdda810ea2012cb49e53290cc9f1a00c6a94f1 73686f7000"
      "2100 6d7973716c5f6e61746976655f70617373776f726400"
      "4b 0c5f636c69656e745f6e616d65 0a6c69626d617269616462 0c70726f6772616d5f6e616d65"
      "056d7973716c 0c5f7365727665725f686f7374 126f72646572732e6578616d706c652e636f6d");
}

// What is behind the header. Fails the test, by throwing, unless it is one whole packet.
inline Bytes payload_of(Bytes packet) {
  if (packet.size() < header_size ||
      read_header(packet.first<header_size>()).length != packet.size() - header_size) {
    throw std::runtime_error("not one whole packet");
  }
  return packet.subspan(header_size);
}

}  // namespace gatehouse::mariadb::test
