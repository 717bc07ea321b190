// The PROXY protocol's version 2 header as sent to a backend, so that it sees the client's address
// (haproxy doc/proxy-protocol.txt, section 2.2). Pure: bytes out, no I/O.
#pragma once

#include <cstdint>
#include <vector>

#include "config/configuration.h"

namespace gatehouse::proxy_protocol {

// From `source` as the client to `destination` as what it connected to. Where their families differ
// both are written as IPv6, the IPv4 one mapped. 28 or 52 bytes: MariaDB reads at most 256, with
// one recv, so send it in one write.
[[nodiscard]] std::vector<std::uint8_t> make_header(const config::SocketAddress& source,
                                                    const config::SocketAddress& destination);

}  // namespace gatehouse::proxy_protocol
