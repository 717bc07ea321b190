#include "gateway/net/socket_address.h"

#include <cstring>

#include <catch2/catch.hpp>
#include <sys/un.h>

#include "gateway/net/descriptor.h"

namespace gatehouse {
namespace {

config::SocketAddress address(std::string_view ip, std::uint16_t port) {
  return {rules::IpAddress::parse(ip).value(), port};
}

TEST_CASE("an address is the same after a way through the kernel's form", "[address]") {
  const auto example =
      GENERATE(address("192.0.2.1", 3306), address("255.255.255.255", 65535), address("0.0.0.0", 0),
               address("2001:db8::1:2", 3306), address("::", 0), address("::1", 1));
  CHECK(from_kernel(to_kernel(example)) == example);
}

TEST_CASE("the kernel's form is in network order", "[address]") {
  const KernelAddress v4 = to_kernel(address("192.0.2.1", 3306));
  CHECK(v4.get()->sa_family == AF_INET);
  CHECK(v4.size == sizeof(sockaddr_in));
  sockaddr_in form{};
  std::memcpy(&form, &v4.storage, sizeof form);
  CHECK(form.sin_port == htons(3306));
  CHECK(form.sin_addr.s_addr == htonl(0xC0000201U));

  const KernelAddress v6 = to_kernel(address("2001:db8::1", 3306));
  CHECK(v6.get()->sa_family == AF_INET6);
  CHECK(v6.size == sizeof(sockaddr_in6));
}

TEST_CASE("IPv4 in IPv6 comes back as IPv4, and a zone is dropped", "[address]") {
  KernelAddress kernel = to_kernel(address("fe80::1", 3306));
  sockaddr_in6 form{};
  std::memcpy(&form, &kernel.storage, sizeof form);
  SECTION("mapped") {
    form.sin6_addr = {};
    form.sin6_addr.s6_addr[10] = form.sin6_addr.s6_addr[11] = 0xFF;
    form.sin6_addr.s6_addr[12] = 192;
    form.sin6_addr.s6_addr[14] = 2;
    form.sin6_addr.s6_addr[15] = 1;
    std::memcpy(&kernel.storage, &form, sizeof form);
    CHECK(from_kernel(kernel) == address("192.0.2.1", 3306));
  }
  SECTION("zone") {
    form.sin6_scope_id = 3;
    std::memcpy(&kernel.storage, &form, sizeof form);
    CHECK(from_kernel(kernel) == address("fe80::1", 3306));
  }
}

TEST_CASE("what is neither IPv4 nor IPv6 is no address", "[address]") {
  CHECK_FALSE(from_kernel(KernelAddress{}));
  KernelAddress unix_socket;
  unix_socket.storage.ss_family = AF_UNIX;
  unix_socket.size = sizeof(sockaddr_un);
  CHECK_FALSE(from_kernel(unix_socket));
  KernelAddress cut_short = to_kernel(address("192.0.2.1", 3306));
  --cut_short.size;
  CHECK_FALSE(from_kernel(cut_short));
  cut_short = to_kernel(address("::1", 3306));
  --cut_short.size;
  CHECK_FALSE(from_kernel(cut_short));
}

TEST_CASE("a bound socket tells its port", "[address]") {
  const Descriptor tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const KernelAddress any_port = to_kernel(address("127.0.0.1", 0));
  REQUIRE(::bind(tcp.get(), any_port.get(), any_port.size) == 0);
  const auto bound = local_address(tcp.get());
  REQUIRE(bound);
  CHECK(bound->ip == rules::IpAddress::parse("127.0.0.1"));
  CHECK(bound->port != 0);

  const Descriptor unix_socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK_FALSE(local_address(unix_socket.get()));
  CHECK_FALSE(local_address(-1));
}

}  // namespace
}  // namespace gatehouse
