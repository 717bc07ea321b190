// How a socket ends that is refused at once: nothing is waited for, and the caller closes it then.
#pragma once

#include <cstdint>
#include <span>

namespace gatehouse {

// The close will be a reset.
void reset_at_close(int socket) noexcept;

// The message and the end in one packet. What the peer has said by now is read into `scratch` and
// thrown away: unread it would make a reset of the close, which would take the message with it.
// Whoever has said more than that by now does without.
void say_and_end(int socket, std::span<const std::uint8_t> message,
                 std::span<std::uint8_t> scratch) noexcept;

}  // namespace gatehouse
