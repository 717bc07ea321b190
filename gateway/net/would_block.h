// What a socket that is asked without waiting says where it has nothing to give or no room.
#pragma once

#include <cerrno>

namespace gatehouse {

// Whether the recv or send before this, which failed, is to be tried again once the socket is
// ready.
[[nodiscard]] inline bool would_block() noexcept {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace gatehouse
