#include "gateway/proxy_protocol/received_header.h"

#include <catch2/catch.hpp>

#include "gateway/proxy_protocol/header.h"
#include "gateway/proxy_protocol/wire.h"

namespace gatehouse::proxy_protocol {
namespace {

using Bytes = std::vector<std::uint8_t>;
using State = ReceivedHeader::State;

config::SocketAddress address(std::string_view ip, std::uint16_t port) {
  return {rules::IpAddress::parse(ip).value(), port};
}

ReceivedHeader read(std::string_view text) {
  return read_header({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

Bytes join(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Bytes value(std::uint8_t type, const Bytes& bytes) {
  const std::size_t size = bytes.size();
  return join({{type, static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size & 0xFF)},
               bytes});
}

// From 192.0.2.1:0xABCD to 198.51.100.7:3306 unless a test says otherwise.
struct V2 {
  std::uint8_t command = command_proxy;
  std::uint8_t family = family_tcp4;
  Bytes addresses{192, 0, 2, 1, 198, 51, 100, 7, 0xAB, 0xCD, 0x0C, 0xEA};
  Bytes values{};

  [[nodiscard]] Bytes bytes() const {
    const std::size_t size = addresses.size() + values.size();
    return join({{signature.begin(), signature.end()},
                 {command, family, static_cast<std::uint8_t>(size >> 8),
                  static_cast<std::uint8_t>(size & 0xFF)},
                 addresses,
                 values});
  }
};

// Behind it the client's own bytes may stand, and before its end it is not whole.
void check_every_prefix(const Bytes& header, State state) {
  for (std::size_t size = 0; size < header.size(); ++size) {
    CAPTURE(size);
    CHECK(read_header(std::span(header).first(size)).state == State::incomplete);
  }
  for (const Bytes& behind : {Bytes{}, Bytes{0x16, 0x03, 0x01}, header}) {
    const ReceivedHeader read = read_header(join({header, behind}));
    CHECK(read.state == state);
    CHECK(read.size == header.size());
  }
}

void check_malformed(const Bytes& bytes, std::string_view problem) {
  const ReceivedHeader header = read_header(bytes);
  CHECK(header.state == State::malformed);
  CHECK(header.problem == problem);
}

TEST_CASE("version 2 names a client over IPv4", "[proxy]") {
  const ReceivedHeader header = read_header(V2{}.bytes());
  REQUIRE(header.state == State::client);
  CHECK(header.source == address("192.0.2.1", 0xABCD));
  CHECK(header.destination == address("198.51.100.7", 3306));
  CHECK_FALSE(header.ids.azure_link_id);
  CHECK_FALSE(header.ids.repeated);
  check_every_prefix(V2{}.bytes(), State::client);
}

TEST_CASE("version 2 names a client over IPv6", "[proxy]") {
  const Bytes bytes = make_header(address("2001:db8::1", 1), address("2001:db8::2", 65535));
  const ReceivedHeader header = read_header(bytes);
  REQUIRE(header.state == State::client);
  CHECK(header.source == address("2001:db8::1", 1));
  CHECK(header.destination == address("2001:db8::2", 65535));
  check_every_prefix(bytes, State::client);
}

TEST_CASE("IPv4 in IPv6 is unmapped", "[proxy]") {
  const Bytes bytes = make_header(address("192.0.2.1", 1), address("2001:db8::2", 2));
  CHECK(read_header(bytes).source == address("192.0.2.1", 1));
  CHECK(read("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n").source == address("192.0.2.1", 1));
}

TEST_CASE("LOCAL and UNSPEC are about no client, whatever else they hold", "[proxy]") {
  const Bytes junk(300, 0xEE);
  for (const V2& header : {V2{.command = command_local, .family = 0, .addresses = {}, .values = {}},
                           V2{.command = command_local},
                           V2{.command = command_local, .family = 0x31, .addresses = junk},
                           V2{.family = family_unspecified, .addresses = {}},
                           V2{.family = family_unspecified, .addresses = junk}}) {
    check_every_prefix(header.bytes(), State::health_check);
  }
}

TEST_CASE("every other version, command and family is malformed", "[proxy]") {
  for (int command = 0; command < 256; ++command) {
    if (command == command_proxy || command == command_local) continue;
    CAPTURE(command);
    check_malformed(V2{.command = static_cast<std::uint8_t>(command)}.bytes(),
                    "it is of another version, or its command is not known");
  }
  for (int family = 1; family < 256; ++family) {
    if (family == family_tcp4 || family == family_tcp6) continue;
    CAPTURE(family);
    check_malformed(V2{.family = static_cast<std::uint8_t>(family)}.bytes(),
                    "its family is not TCP over IP");
  }
}

TEST_CASE("a header too short for its addresses is malformed", "[proxy]") {
  V2 header;
  header.addresses.pop_back();
  check_malformed(header.bytes(), "it is too short for its addresses");
  check_malformed(V2{.family = family_tcp6}.bytes(), "it is too short for its addresses");
}

TEST_CASE("a header may be 4096 bytes long and no longer", "[proxy]") {
  constexpr std::uint8_t type_noop = 0x04;
  V2 header;
  header.values = value(type_noop, Bytes(v2_size_max - header.bytes().size() - 3, 0));
  CHECK(header.bytes().size() == v2_size_max);
  CHECK(read_header(header.bytes()).state == State::client);
  header.values = value(type_noop, Bytes(v2_size_max - V2{}.bytes().size() - 2, 0));
  // Refused as soon as its length is known: nobody waits for the rest.
  check_malformed(
      [&] {
        Bytes begin = header.bytes();
        begin.resize(16);
        return begin;
      }(),
      "it is longer than 4096 bytes");
}

TEST_CASE("the ids of three clouds are read, each in its own byte order", "[proxy]") {
  V2 header;
  header.values = join({value(0xEE, {0x01, 0x78, 0x56, 0x34, 0x12}),
                        value(0xEA, {0x01, 'v', 'p', 'c', 'e', '-', '1'}),
                        value(0xE0, {0, 0, 0, 0, 0, 0, 0x01, 0x02}), value(0x20, {1, 2}),
                        value(0x02, {0xFF, 0xFE}), value(0x30, {})});
  const ReceivedHeader read = read_header(header.bytes());
  REQUIRE(read.state == State::client);
  const rules::HeaderIds ids = read.ids;
  CHECK(ids.azure_link_id == 0x12345678U);
  CHECK(ids.aws_vpce_id == "vpce-1");
  CHECK(ids.gcp_psc_connection_id == 0x0102U);
  CHECK_FALSE(ids.repeated);
}

TEST_CASE("an id that is there twice is marked, though both are the same", "[proxy]") {
  for (const Bytes& id : {value(0xEE, {1, 0, 0, 0, 0}), value(0xEA, {1, 'v'}),
                          value(0xE0, {0, 0, 0, 0, 0, 0, 0, 1})}) {
    V2 header;
    header.values = join({id, id});
    const ReceivedHeader read = read_header(header.bytes());
    CHECK(read.state == State::client);
    CHECK(read.ids.repeated);
  }
}

TEST_CASE("an id in a form that is not known is malformed, and never none", "[proxy]") {
  const auto with = [](std::uint8_t type, const Bytes& bytes) {
    return V2{.values = value(type, bytes)}.bytes();
  };
  check_malformed(with(0xEE, {}), "its cloud endpoint has a form that is not known");
  check_malformed(with(0xEE, {2, 0, 0, 0, 0}), "its cloud endpoint has a form that is not known");
  check_malformed(with(0xEE, {1, 0, 0, 0}), "its Azure link id has not four bytes");
  check_malformed(with(0xEE, {1, 0, 0, 0, 0, 0}), "its Azure link id has not four bytes");
  check_malformed(with(0xEA, {}), "its cloud endpoint has a form that is not known");
  check_malformed(with(0xEA, {0, 'v'}), "its cloud endpoint has a form that is not known");
  check_malformed(with(0xEA, {1}), "its AWS endpoint id is empty or too long");
  Bytes too_long(257, 'v');
  too_long.front() = 1;
  check_malformed(with(0xEA, too_long), "its AWS endpoint id is empty or too long");
  check_malformed(with(0xE0, {}), "its Google connection id has not eight bytes");
  check_malformed(with(0xE0, {1, 2, 3, 4, 5, 6, 7}),
                  "its Google connection id has not eight bytes");
}

TEST_CASE("values that are cut short or too long are malformed", "[proxy]") {
  check_malformed(V2{.values = {0x04}}.bytes(), "a value of it is cut short");
  check_malformed(V2{.values = {0x04, 0x00}}.bytes(), "a value of it is cut short");
  check_malformed(V2{.values = {0x04, 0x00, 0x01}}.bytes(),
                  "a value of it is longer than the header");
  check_malformed(V2{.values = {0x04, 0xFF, 0xFF, 0x00}}.bytes(),
                  "a value of it is longer than the header");
}

// Computed with another implementation (Python's crc32c of the bytes with a zero checksum).
TEST_CASE("a checksum must be that of the header", "[proxy]") {
  V2 header;
  header.values = join({value(0x03, {0x68, 0x83, 0xBC, 0x82}), value(0x04, {0x2A})});
  CHECK(read_header(header.bytes()).problem.empty());
  CHECK(read_header(header.bytes()).state == State::client);
  const Bytes good = header.bytes();
  for (std::size_t at = 16; at < good.size(); ++at) {
    CAPTURE(at);
    for (int bit = 0; bit < 8; ++bit) {
      Bytes bad = good;
      bad[at] = static_cast<std::uint8_t>(bad[at] ^ (1 << bit));
      // Where the flipped bit makes another value of it, no checksum is left to be wrong.
      const bool is_type_of_checksum = at == 28;
      if (!is_type_of_checksum) CHECK(read_header(bad).state == State::malformed);
    }
  }
  header.values = join({value(0x03, {0x68, 0x83, 0xBC}), value(0x04, {0x2A})});
  check_malformed(header.bytes(), "its checksum is repeated or has not four bytes");
}

TEST_CASE("version 1 names a client", "[proxy]") {
  const std::string text = "PROXY TCP4 192.0.2.1 198.51.100.7 43981 3306\r\n";
  const ReceivedHeader header = read(text);
  REQUIRE(header.state == State::client);
  CHECK(header.source == address("192.0.2.1", 43981));
  CHECK(header.destination == address("198.51.100.7", 3306));
  check_every_prefix({text.begin(), text.end()}, State::client);
  CHECK(read("PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n").source == address("2001:db8::1", 0));
}

TEST_CASE("version 1 may be 107 bytes long and no longer", "[proxy]") {
  const std::string unknown = "PROXY UNKNOWN ";
  const std::string longest = unknown + std::string(v1_size_max - unknown.size() - 2, 'x') + "\r\n";
  CHECK(longest.size() == v1_size_max);
  CHECK(read(longest).state == State::health_check);
  CHECK(read(longest.substr(0, longest.size() - 1)).state == State::incomplete);
  CHECK(read(unknown + "x" + longest.substr(unknown.size())).state == State::malformed);
}

TEST_CASE("nobody's address is malformed as a source", "[proxy]") {
  CHECK(read("PROXY TCP4 0.0.0.0 198.51.100.7 1 2\r\n").state == State::malformed);
  CHECK(read("PROXY TCP6 :: ::1 1 2\r\n").state == State::malformed);
  check_malformed(make_header(address("0.0.0.0", 1), address("198.51.100.7", 2)),
                  "its source is nobody's address");
}

TEST_CASE("UNKNOWN is about no client", "[proxy]") {
  CHECK(read("PROXY UNKNOWN\r\n").state == State::health_check);
  CHECK(read("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n").state == State::health_check);
}

TEST_CASE("every deviation of version 1 is malformed", "[proxy]") {
  for (const std::string_view text : {
           "PROXY TCP4 192.0.2.1 198.51.100.7 43981 3306\n",     // no carriage return
           "PROXY TCP4 192.0.2.1 198.51.100.7 43981 3306 \r\n",  // a blank behind
           "PROXY TCP4 192.0.2.1 198.51.100.7  43981 3306\r\n",  // two blanks
           "PROXY  TCP4 192.0.2.1 198.51.100.7 43981 3306\r\n",
           "PROXY TCP4\t192.0.2.1 198.51.100.7 43981 3306\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.7 43981\r\n",         // a word too few
           "PROXY TCP4 192.0.2.1 198.51.100.7 43981 3306 7\r\n",  // and too many
           "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",          // of the other family
           "PROXY TCP4 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2\r\n",
           "PROXY TCP6 192.0.2.1 198.51.100.7 43981 3306\r\n",
           "PROXY TCP6 fe80::1%eth0 2001:db8::2 1 2\r\n",
           "PROXY TCP4 192.0.2.01 198.51.100.7 43981 3306\r\n",  // leading zeros
           "PROXY TCP4 192.0.2.1 198.51.100.7 043981 3306\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.7 65536 3306\r\n",  // not a port
           "PROXY TCP4 192.0.2.1 198.51.100.7 -1 3306\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.7 +1 3306\r\n",
           "PROXY TCP4 192.0.2 198.51.100.7 43981 3306\r\n",  // not an address
           "PROXY TCP4 192.0.2.1/32 198.51.100.7 43981 3306\r\n",
           "PROXY UDP4 192.0.2.1 198.51.100.7 43981 3306\r\n",  // not a family
           "PROXY tcp4 192.0.2.1 198.51.100.7 43981 3306\r\n",
           "PROXY UNKNOWNX\r\n",
           "PROXY \r\n",
           "PROXY\r\n",
           "proxy TCP4 192.0.2.1 198.51.100.7 43981 3306\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.7 43981 3306\r\r\n",
       }) {
    CAPTURE(text);
    CHECK(read(text).state == State::malformed);
  }
  using namespace std::string_view_literals;
  CHECK(read("PROXY TCP4 192.0.2.1\0 198.51.100.7 1 2\r\n"sv).state == State::malformed);
}

TEST_CASE("what begins as no header does is malformed from its first byte", "[proxy]") {
  CHECK(read("GET / HTTP/1.1").state == State::malformed);
  CHECK(read("\x16\x03\x01").state == State::malformed);
  CHECK(read("PROXI").state == State::malformed);
  CHECK(read(std::string_view("\r\n\r\n\0", 5)).state == State::incomplete);
  CHECK(read("\r\n\r\nX").state == State::malformed);
  CHECK(read("").state == State::incomplete);
}

}  // namespace
}  // namespace gatehouse::proxy_protocol
