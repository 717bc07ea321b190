#include "gateway/net/last_words.h"

#include <sys/socket.h>

namespace gatehouse {

void reset_at_close(int socket) noexcept {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void say_and_end(int socket, std::span<const std::uint8_t> message,
                 std::span<std::uint8_t> scratch) noexcept {
  static_cast<void>(::recv(socket, scratch.data(), scratch.size(), MSG_DONTWAIT));
  // With more to come, which is the end. What arrives just now cannot keep that one from leaving,
  // as it could if the close were to send it.
  static_cast<void>(
      ::send(socket, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE));
  ::shutdown(socket, SHUT_WR);
}

}  // namespace gatehouse
