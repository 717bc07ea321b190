// Between the kernel's socket addresses and ours.
#pragma once

#include <optional>

#include <netinet/in.h>
#include <sys/socket.h>

#include "config/configuration.h"

namespace gatehouse {

struct KernelAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
  [[nodiscard]] sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
};

[[nodiscard]] KernelAddress to_kernel(const config::SocketAddress& address) noexcept;

// Unset for anything but IPv4 and IPv6. IPv4 in IPv6 comes back as IPv4; a zone id is dropped.
[[nodiscard]] std::optional<config::SocketAddress> from_kernel(
    const KernelAddress& address) noexcept;

// The address a socket is bound to; unset for unix sockets and on failure.
[[nodiscard]] std::optional<config::SocketAddress> local_address(int socket) noexcept;
// The address that it is connected to; likewise.
[[nodiscard]] std::optional<config::SocketAddress> peer_address(int socket) noexcept;

}  // namespace gatehouse
