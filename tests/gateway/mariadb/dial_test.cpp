#include "gateway/mariadb/dial.h"

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/net/descriptor.h"

namespace gatehouse::mariadb {
namespace {

// Bound and not listening: nobody else takes the port, and it refuses.
class ClosedPort {
 public:
  ClosedPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(socket_.get(), any, size) == 0);
    REQUIRE(::getsockname(socket_.get(), any, &size) == 0);
    port_ = ntohs(address.sin_port);
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Descriptor socket_;
  std::uint16_t port_ = 0;
};

// As many descriptors as are open already, and no more, while it lives.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const Descriptor next(::dup(STDERR_FILENO));
    const rlimit none{.rlim_cur = static_cast<rlim_t>(next.get()), .rlim_max = before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;
  ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

struct Fixture {
  ClosedPort closed;
  config::Server server;
  BackendTable table;
  ServerMetrics metrics;
  ServerState state;
  Log log{STDERR_FILENO, {.level = config::LogLevel::error, .format = config::LogFormat::text}};
  asio::io_context context{1};
  std::optional<Stream> slot{std::in_place, Socket(context)};  // the event loop's own descriptors

  Fixture() {
    const std::string text = "127.0.0.1:" + std::to_string(closed.port());
    server.name = "orders";
    server.backends.push_back(
        {.where = config::TcpBackend{.host = "127.0.0.1", .port = closed.port()},
         .text = text,
         .at = {}});
    state.server = &server;
    state.metrics = &metrics;
    state.backends = table.of(server);
  }

  Dialed dial() {
    const ProxiedClient client;
    Dial dial(state, client, slot, log);
    Dialed result;
    asio::co_spawn(context, dial.run(), [&](const std::exception_ptr& failure, Dialed dialed) {
      if (!failure) result = std::move(dialed);
    });
    context.restart();
    context.run();
    return result;
  }
};

TEST_CASE_METHOD(Fixture, "a backend that refuses the connection has failed", "[dial]") {
  CHECK(dial().outcome == DialOutcome::unreachable);
  CHECK(state.backends[0]->health() == BackendHealth::failed);
  CHECK(metrics.backend_dial_failures.value() == 1);
}

TEST_CASE_METHOD(Fixture, "a backend is not to blame where this process has no descriptors",
                 "[dial]") {
  // UBSan opens a pipe when it sees a class for the first time, and finds it invalid where it
  // cannot.
  REQUIRE(dial().outcome == DialOutcome::unreachable);
  BackendTable untried;
  state.backends = untried.of(server);
  Dialed dialed;
  {
    const NoMoreDescriptors scarce;  // also for Catch, so nothing is checked here
    dialed = dial();
  }
  CHECK(dialed.outcome == DialOutcome::unreachable);
  CHECK(dialed.why == "it cannot be connected to: Too many open files");
  CHECK(state.backends[0]->health() == BackendHealth::unknown);
}

}  // namespace
}  // namespace gatehouse::mariadb
