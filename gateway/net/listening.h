// Binding the addresses that listeners name: one socket a worker and address, so that the kernel
// spreads connections over workers and none of them waits for another.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/configuration.h"
#include "gateway/net/descriptor.h"

namespace gatehouse {

struct Bound {
  std::string error;              // empty: done
  config::SocketAddress address;  // with the port the system chose, where 0 was asked for
  std::vector<Descriptor> sockets;
};

// Of each address, known by its key, one socket a worker. Shared by those who hand them out and the
// workers, each of which takes its own and touches no other.
using ListeningSockets = std::map<std::string, std::shared_ptr<std::vector<Descriptor>>>;

// What a listening socket is known by: where it is bound, so that a listener may change its name
// and keep it.
[[nodiscard]] std::string socket_key(const config::SocketAddress& address,
                                     const std::optional<std::string>& device);

// Listens at once; connections wait in the backlog until somebody accepts them. What accepted
// sockets need (no delay, keep-alive) is set here, for they inherit it. `port_is_ours`: this
// process listens on that port already, at this or another address. Otherwise it fails where
// another process listens there, which SO_REUSEPORT alone would hide.
[[nodiscard]] Bound bind_and_listen(const config::SocketAddress& address,
                                    const std::optional<std::string>& device, std::size_t sockets,
                                    bool port_is_ours);

}  // namespace gatehouse
