#include "gateway/mariadb/dial.h"

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/net/descriptor.h"
#include "tests/gateway/net/ports.h"

namespace gatehouse::mariadb {
namespace {

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
  test::ClosedPort closed;
  config::Server server;
  BackendTable table;
  ServerMetrics metrics;
  ServerState state;
  Log log{STDERR_FILENO, {.level = config::LogLevel::error, .format = config::LogFormat::text}};
  asio::io_context context{1};
  std::optional<Stream> slot{std::in_place, Socket(context)};  // the event loop's own descriptors

  Fixture() {
    server.name = "orders";
    server.backends.push_back(closed.backend());
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
