#include "gateway/net/listening.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <net/if.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "gateway/limits.h"
#include "gateway/net/interface.h"
#include "gateway/net/socket_address.h"

namespace gatehouse {

namespace {

// A peer that vanished is noticed after about two minutes of silence.
constexpr int keep_alive_idle_seconds = 60;
constexpr int keep_alive_interval_seconds = 15;
constexpr int keep_alive_probes = 4;

bool set(const Descriptor& socket, int level, int name, int value) {
  return ::setsockopt(socket.get(), level, name, &value, sizeof value) == 0;
}

bool set_options(const Descriptor& socket, const config::SocketAddress& address,
                 const std::optional<std::string>& device) {
  if (!set(socket, SOL_SOCKET, SO_REUSEADDR, 1)) return false;
  if (!address.ip.is_v4() && !set(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1)) return false;
  return !device || ::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, device->c_str(),
                                 static_cast<socklen_t>(device->size())) == 0;
}

bool set_inherited_options(const Descriptor& socket) {
  return set(socket, IPPROTO_TCP, TCP_NODELAY, 1) && set(socket, SOL_SOCKET, SO_KEEPALIVE, 1) &&
         set(socket, IPPROTO_TCP, TCP_KEEPIDLE, keep_alive_idle_seconds) &&
         set(socket, IPPROTO_TCP, TCP_KEEPINTVL, keep_alive_interval_seconds) &&
         set(socket, IPPROTO_TCP, TCP_KEEPCNT, keep_alive_probes);
}

// Null after a failure, with errno set. `shared`: other sockets may bind the same address.
Descriptor bind_one(const config::SocketAddress& address, const std::optional<std::string>& device,
                    bool shared) {
  Descriptor socket(::socket(address.ip.is_v4() ? AF_INET : AF_INET6,
                             SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const KernelAddress kernel = to_kernel(address);
  const bool good = socket && set_options(socket, address, device) &&
                    (!shared || set(socket, SOL_SOCKET, SO_REUSEPORT, 1)) &&
                    ::bind(socket.get(), kernel.get(), kernel.size) == 0;
  return good ? std::move(socket) : Descriptor();
}

}  // namespace

// With the number of the device: one that is made anew has another.
std::string socket_key(const config::SocketAddress& address,
                       const std::optional<std::string>& device) {
  std::string key = to_string(address);
  if (device) key += "%" + *device + "#" + std::to_string(::if_nametoindex(device->c_str()));
  return key;
}

Bound bind_and_listen(const config::SocketAddress& address,
                      const std::optional<std::string>& device, std::size_t sockets,
                      bool port_is_ours) {
  Bound bound{.error = {}, .address = address, .sockets = {}};
  const auto fail = [&] {
    bound.error = std::generic_category().message(errno);
    bound.sockets.clear();
  };
  // Tried alone first: a socket that shares its address would be let in beside another process that
  // does.
  if (address.port != 0 && !port_is_ours && !bind_one(address, device, /*shared=*/false)) {
    fail();
    return bound;
  }
  for (std::size_t count = 0; count < sockets; ++count) {
    Descriptor socket = bind_one(bound.address, device, /*shared=*/true);
    if (!socket || !set_inherited_options(socket) ||
        !remember_interfaces(socket, bound.address.ip.is_v4()) ||
        ::listen(socket.get(), limits::listen_backlog) != 0) {
      fail();
      return bound;
    }
    if (const auto local = local_address(socket.get())) bound.address = *local;
    bound.sockets.push_back(std::move(socket));
  }
  return bound;
}

}  // namespace gatehouse
