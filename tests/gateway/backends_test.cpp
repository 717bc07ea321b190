#include "gateway/backends.h"

#include <thread>

#include <catch2/catch.hpp>

#include "gateway/snapshot.h"

namespace gatehouse {
namespace {

config::Server server_with(const std::vector<std::string>& backends, std::string name = "orders") {
  config::Server server;
  server.name = std::move(name);
  for (const std::string& text : backends)
    server.backends.push_back({.where = {}, .text = text, .at = {}});
  return server;
}

mariadb::Greeting greeting_of(std::string version, std::uint64_t capabilities = 0xFFFFFFFEU) {
  mariadb::Greeting greeting;
  greeting.server_version = std::move(version);
  greeting.capabilities = capabilities;
  greeting.charset = 8;
  return greeting;
}

// The order in which one session would try them, were none to answer.
std::vector<std::size_t> order_of(const BackendStates& backends) {
  std::vector<std::size_t> order;
  std::vector<bool> tried(backends.size());
  while (const auto next = next_backend(backends, tried)) {
    tried[*next] = true;
    order.push_back(*next);
  }
  return order;
}

using Order = std::vector<std::size_t>;

TEST_CASE("backends are tried in order, those that failed behind the others", "[backends]") {
  BackendTable table;
  const BackendStates backends = table.of(server_with({"a:1", "b:1", "c:1"}));
  CHECK(order_of(backends) == Order{0, 1, 2});
  backends[0]->failed();
  CHECK(order_of(backends) == Order{1, 2, 0});
  backends[2]->failed();
  CHECK(order_of(backends) == Order{1, 0, 2});
  backends[0]->succeeded();
  CHECK(order_of(backends) == Order{0, 1, 2});
}

TEST_CASE("where all backends have failed, all are tried in order", "[backends]") {
  BackendTable table;
  const BackendStates backends = table.of(server_with({"a:1", "b:1"}));
  for (const auto& backend : backends) backend->failed();
  CHECK(order_of(backends) == Order{0, 1});
}

TEST_CASE("a backend that fails while a session is at it is not tried twice", "[backends]") {
  BackendTable table;
  const BackendStates backends = table.of(server_with({"a:1", "b:1"}));
  std::vector<bool> tried(2);
  tried[0] = true;
  backends[0]->failed();
  CHECK(next_backend(backends, tried) == 1);
  tried[1] = true;
  backends[1]->failed();
  CHECK_FALSE(next_backend(backends, tried));
}

TEST_CASE("what was learned of a backend goes on over reloads that keep it", "[backends]") {
  BackendTable table;
  const BackendStates before = table.of(server_with({"a:1", "b:1"}));
  before[1]->failed();
  const BackendStates after = table.of(server_with({"b:1", "c:1"}));
  CHECK(after[0]->health() == BackendHealth::failed);
  CHECK(after[1]->health() == BackendHealth::unknown);
}

TEST_CASE("the same address is another backend for another server", "[backends]") {
  BackendTable table;
  const BackendStates orders = table.of(server_with({"a:1"}));
  const BackendStates billing = table.of(server_with({"a:1"}, "billing"));
  orders[0]->failed();
  CHECK(billing[0]->health() == BackendHealth::unknown);
}

TEST_CASE("a backend that no snapshot names any more is forgotten", "[backends]") {
  BackendTable table;
  std::weak_ptr<BackendState> gone;
  {
    const BackendStates backends = table.of(server_with({"a:1"}));
    backends[0]->failed();
    gone = backends[0];
  }
  CHECK(gone.expired());
  CHECK(table.of(server_with({"a:1"}))[0]->health() == BackendHealth::unknown);
}

TEST_CASE("a backend is known by its last greeting", "[backends]") {
  BackendState backend;
  CHECK_FALSE(backend.greeting());
  backend.greeted(greeting_of("10.6.2-MariaDB"));
  backend.greeted(greeting_of("10.6.2-MariaDB"));
  CHECK(backend.greeting()->server_version == "10.6.2-MariaDB");
  backend.greeted(greeting_of("10.11.6-MariaDB"));
  CHECK(backend.greeting()->server_version == "10.11.6-MariaDB");
  backend.greeted(greeting_of("10.11.6-MariaDB", 0xFEU));
  CHECK(backend.greeting()->capabilities == 0xFEU);
}

TEST_CASE("a listener greets with what the backends of all its servers have", "[backends]") {
  BackendTable table;
  ServerState orders;
  ServerState billing;
  orders.backends = table.of(server_with({"a:1", "b:1"}));
  billing.backends = table.of(server_with({"c:1"}, "billing"));
  ListenerState listener;
  listener.servers = {&orders, &billing};
  CHECK(common_greeting(listener) == mariadb::lowest_common({}));
  orders.backends[0]->greeted(greeting_of("11.4.5-MariaDB"));
  CHECK(common_greeting(listener).server_version == "11.4.5-MariaDB");
  billing.backends[0]->greeted(greeting_of("10.6.2-MariaDB", 0xFFFFFFFEU & ~(1U << 24)));
  CHECK(common_greeting(listener).server_version == "10.6.2-MariaDB");
  CHECK((common_greeting(listener).capabilities & 1U << 24) == 0);
}

TEST_CASE("workers may learn of one backend at the same time", "[backends]") {
  BackendState backend;
  std::atomic<bool> whole = true;
  const auto learn = [&](const std::string& version) {
    for (int count = 0; count < 1000; ++count) {
      backend.greeted(greeting_of(version));
      backend.failed();
      backend.succeeded();
      const std::string known = backend.greeting()->server_version;
      if (!known.starts_with("a version beyond small strings: ")) whole = false;
    }
  };
  std::thread other([&] { learn("a version beyond small strings: 1"); });
  learn("a version beyond small strings: 2");
  other.join();
  CHECK(whole);
  CHECK(backend.health() == BackendHealth::up);
}

}  // namespace
}  // namespace gatehouse
