// By which network interface a connection came: what tells apart two networks that use the same
// addresses.
#pragma once

#include <string>

#include "gateway/net/descriptor.h"

namespace gatehouse {

// Lets arrival_interface() find out what the connections that this socket accepts came by.
// REQUIRES: a listening socket, before its first connection. False: the kernel cannot.
[[nodiscard]] bool remember_interfaces(const Descriptor& socket, bool is_v4) noexcept;

// The name of the device that an accepted socket is bound to; without one, of the interface at
// which its first packet arrived. Empty: it cannot be told, for the interface has gone.
[[nodiscard]] std::string arrival_interface(int socket);

}  // namespace gatehouse
