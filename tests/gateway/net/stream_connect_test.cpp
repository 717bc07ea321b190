// What the kernel is asked for behind a connect, by its own account of the event loop.
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "gateway/net/descriptor.h"
#include "gateway/net/socket_address.h"
#include "gateway/net/tls_stream.h"

namespace gatehouse {
namespace {

// By descriptor, of all event loops of this process (proc(5), fdinfo).
std::map<int, unsigned> watched_events() {
  std::map<int, unsigned> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
    std::ifstream lines(entry.path());
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string name;
      std::string ignored;
      int descriptor = -1;
      unsigned events = 0;
      words >> name >> descriptor >> ignored >> std::hex >> events;
      if (name == "tfd:") found[descriptor] = events;
    }
  }
  return found;
}

// Takes one connection and lets the next one wait until that is accepted.
class NarrowPort {
 public:
  NarrowPort() {
    auto* const bound = address_.get();
    auto* const inet = reinterpret_cast<sockaddr_in*>(bound);
    inet->sin_family = AF_INET;
    inet->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address_.size = sizeof(sockaddr_in);
    REQUIRE(::bind(listener_.get(), bound, address_.size) == 0);
    REQUIRE(::listen(listener_.get(), 0) == 0);
    REQUIRE(::getsockname(listener_.get(), bound, &address_.size) == 0);
    REQUIRE(::connect(first_.get(), bound, address_.size) == 0);
  }

  void accept() { accepted_ = Descriptor(::accept(listener_.get(), nullptr, nullptr)); }
  [[nodiscard]] asio::generic::stream_protocol::endpoint endpoint() const {
    return {address_.get(), address_.size, IPPROTO_TCP};
  }

 private:
  Descriptor listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  Descriptor first_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  Descriptor accepted_;
  KernelAddress address_;
};

}  // namespace

TEST_CASE("behind a connect that took its time no room to write is asked for", "[stream]") {
  asio::io_context context{1};
  NarrowPort port;
  Stream stream{Socket(context.get_executor())};
  std::optional<Io> connected;
  const auto endpoint = port.endpoint();  // for as long as the connect takes
  asio::co_spawn(context, stream.connect(endpoint),
                 [&connected](const std::exception_ptr&, Io io) { connected = io; });
  context.poll();
  REQUIRE_FALSE(connected);  // on its way
  CHECK((watched_events().at(stream.socket().native_handle()) & EPOLLOUT) != 0);
  port.accept();
  context.restart();
  context.run();  // the kernel tries again each second
  REQUIRE(connected == Io::ok);
  CHECK((watched_events().at(stream.socket().native_handle()) & EPOLLOUT) == 0);
  CHECK((watched_events().at(stream.socket().native_handle()) & EPOLLIN) != 0);
  CHECK(stream.socket().non_blocking());
}

}  // namespace gatehouse
