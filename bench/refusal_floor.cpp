// What a refusal costs at least: the calls that each of its ways takes, and nothing that decides or
// records. bench/run measures it beside the gateway.
#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "gateway/mariadb/refusal.h"
#include "gateway/net/descriptor.h"
#include "gateway/net/last_words.h"
#include "gateway/net/listening.h"
#include "gateway/net/socket_address.h"
#include "gateway/net/tls_record.h"

namespace gatehouse {

namespace {

// As Session::say_at_accept does it.
void refuse(const Descriptor& client, Bytes message) {
  std::array<std::uint8_t, 64> scratch{};
  if (message.empty()) {
    reset_at_close(client.get());
  } else {
    say_and_end(client.get(), message, scratch);
  }
}

// Until a signal ends it.
int refuse_all(Bytes message) {
  const Bound bound =
      bind_and_listen({rules::IpAddress::v4(INADDR_LOOPBACK), 0}, std::nullopt, 1, false);
  const Descriptor events(::epoll_create1(EPOLL_CLOEXEC));
  if (!bound.error.empty() || !events) {
    fmt::print(stderr, "error: it cannot listen: {}\n", bound.error);
    return 1;
  }
  const int listener = bound.sockets.front().get();
  epoll_event event{.events = EPOLLIN, .data = {}};
  ::epoll_ctl(events.get(), EPOLL_CTL_ADD, listener, &event);
  fmt::print("listening 127.0.0.1:{}\n", bound.address.port);
  static_cast<void>(std::fflush(stdout));
  for (;;) {
    ::epoll_wait(events.get(), &event, 1, -1);
    for (;;) {
      KernelAddress peer;  // who judges wants to know it
      peer.size = sizeof peer.storage;
      const Descriptor client(
          ::accept4(listener, peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!client) break;
      refuse(client, message);
    }
  }
}

}  // namespace

}  // namespace gatehouse

int main(int argc, char** argv) {
  const std::string_view how = argc == 2 ? argv[1] : "";
  if (how == "reset") return gatehouse::refuse_all({});
  if (how == "alert") return gatehouse::refuse_all(gatehouse::tls_record::access_denied);
  if (how == "message") {
    return gatehouse::refuse_all(gatehouse::mariadb::denied_at_accept("127.0.0.1").bytes());
  }
  fmt::print(stderr, "usage: refusal_floor reset|alert|message\n");
  return 2;
}
