#include "gateway/proxy_protocol/receive.h"

#include <cerrno>
#include <vector>

#include <sys/socket.h>

namespace gatehouse::proxy_protocol {

namespace {

using State = ReceivedHeader::State;

ReceivedHeader ended(std::size_t received) {
  ReceivedHeader header;
  header.state = received == 0 ? State::health_check : State::malformed;
  header.problem = "it is cut short";
  return header;
}

}  // namespace

Awaitable<ReceivedHeader> receive_header(Stream& stream) {
  std::vector<std::uint8_t> bytes(v2_size_max);
  const auto read = [&](std::size_t at, std::size_t size, int flags) {
    return ::recv(stream.socket().native_handle(), bytes.data() + at, size, flags | MSG_DONTWAIT);
  };
  std::size_t received = 0;
  while (!stream.aborted()) {
    // Looked at first, and taken when it is known to be the header's: all of an incomplete one is.
    const auto seen = read(received, bytes.size() - received, MSG_PEEK);
    if (seen < 0 && errno == EINTR) continue;
    if (seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      co_await stream.wait(Socket::wait_read);
      continue;
    }
    if (seen <= 0) co_return ended(received);
    const std::size_t known = received + static_cast<std::size_t>(seen);
    const ReceivedHeader header = read_header(std::span(bytes).first(known));
    if (header.state == State::malformed) co_return header;
    const std::size_t end = header.state == State::incomplete ? known : header.size;
    // What was seen is there: the kernel gives it again, in one piece.
    if (read(received, end - received, 0) != static_cast<ssize_t>(end - received)) {
      co_return ended(end);
    }
    received = end;
    if (header.state != State::incomplete) co_return header;
  }
  co_return ReceivedHeader{};
}

}  // namespace gatehouse::proxy_protocol
