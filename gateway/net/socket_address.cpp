#include "gateway/net/socket_address.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace gatehouse {

KernelAddress to_kernel(const config::SocketAddress& address) noexcept {
  KernelAddress result;
  if (address.ip.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    v4.sin_addr.s_addr = htonl(address.ip.v4_value());
    std::memcpy(&result.storage, &v4, sizeof v4);
    result.size = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    const auto bytes = address.ip.v6_bytes();
    std::copy(bytes.begin(), bytes.end(), std::begin(v6.sin6_addr.s6_addr));
    std::memcpy(&result.storage, &v6, sizeof v6);
    result.size = sizeof v6;
  }
  return result;
}

std::optional<config::SocketAddress> from_kernel(const KernelAddress& address) noexcept {
  if (address.storage.ss_family == AF_INET && address.size >= sizeof(sockaddr_in)) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address.storage, sizeof v4);
    return config::SocketAddress{rules::IpAddress::v4(ntohl(v4.sin_addr.s_addr)),
                                 ntohs(v4.sin_port)};
  }
  if (address.storage.ss_family == AF_INET6 && address.size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address.storage, sizeof v6);
    std::array<std::uint8_t, 16> bytes{};
    std::copy(std::begin(v6.sin6_addr.s6_addr), std::end(v6.sin6_addr.s6_addr), bytes.begin());
    return config::SocketAddress{rules::IpAddress::v6(bytes), ntohs(v6.sin6_port)};
  }
  return std::nullopt;
}

std::optional<config::SocketAddress> local_address(int socket) noexcept {
  KernelAddress address;
  address.size = sizeof address.storage;
  if (::getsockname(socket, address.get(), &address.size) != 0) return std::nullopt;
  return from_kernel(address);
}

std::optional<config::SocketAddress> peer_address(int socket) noexcept {
  KernelAddress address;
  address.size = sizeof address.storage;
  if (::getpeername(socket, address.get(), &address.size) != 0) return std::nullopt;
  return from_kernel(address);
}

}  // namespace gatehouse
