// The PROXY protocol's header as a trusted sender writes it in front of a client's bytes, version 1
// and 2 (haproxy doc/proxy-protocol.txt, sections 2.1 and 2.2). Pure: bytes in, values out, no I/O.
//
// Nothing is guessed: what is not a whole header of a form that is known is malformed, and an
// identity that cannot be read is never taken for none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/configuration.h"
#include "rules/networks.h"

namespace gatehouse::proxy_protocol {

// The longest headers there are (section 2.1) or may be here: version 2 could claim 64 KiB.
inline constexpr std::size_t v1_size_max = 107;
inline constexpr std::size_t v2_size_max = 4096;

struct ReceivedHeader {
  enum class State {
    incomplete,  // every byte so far belongs to the header, and more must follow
    malformed,
    health_check,  // complete: LOCAL, UNSPEC or UNKNOWN, the sender's own and about no client
    client,        // complete
  };
  State state = State::incomplete;
  std::string_view problem;  // malformed: what is wrong, a constant
  std::size_t size = 0;      // complete: of the header; the bytes behind it are the client's
  config::SocketAddress source;
  config::SocketAddress destination;
  // Of cloud networks, in version 2 only: 0xEE is Azure's, 0x01 and 32 bits little-endian; 0xEA is
  // AWS's, 0x01 and text; 0xE0 is Google's, 64 bits big-endian. These types are of the range that
  // the protocol leaves to everybody: it is the listener's senders that give them their meaning.
  rules::HeaderIds ids;
};

// Reads the header that `bytes` begin with. Total: any bytes have an answer, and a longer input
// never changes a complete or malformed one.
[[nodiscard]] ReceivedHeader read_header(std::span<const std::uint8_t> bytes);

}  // namespace gatehouse::proxy_protocol
