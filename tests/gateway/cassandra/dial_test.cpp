#include "gateway/cassandra/dial.h"

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>
#include <unistd.h>

#include "tests/gateway/cassandra/topology.h"
#include "tests/gateway/net/ports.h"

namespace gatehouse::cassandra {
namespace {

using namespace std::chrono_literals;

struct Fixture {
  gatehouse::test::ClosedPort closed;
  gatehouse::test::SilentPort open;
  config::Server server;
  BackendTable table;
  ServerMetrics metrics;
  std::shared_ptr<Cluster> cluster = std::make_shared<Cluster>();
  ServerState state;
  Log log{STDERR_FILENO, {.level = config::LogLevel::error, .format = config::LogFormat::text}};
  asio::io_context context{1};
  std::optional<Stream> slot;
  std::optional<Dialed> dialed;

  Fixture() {
    server.name = "events";
    server.protocol = config::Protocol::cassandra;
    server.backends = {closed.backend(), open.backend()};
    state.server = &server;
    state.metrics = &metrics;
    state.cluster = cluster;
    state.backends = table.of(server);
    Ring ring = test::ring_of_three();
    ring.nodes[0].address = ring.nodes[1].address = test::ipv4(127, 0, 0, 1);
    ring.nodes[0].port = closed.number();
    ring.nodes[1].port = open.number();
    cluster->publish(std::make_shared<const Ring>(std::move(ring)));
  }

  void start_tls() {
    config::InputFiles inputs{"/"};
    config::Diagnostics diagnostics;
    state.tls = BackendTls::load(server, inputs, diagnostics);
    REQUIRE(state.tls);
  }

  [[nodiscard]] std::vector<Candidate> nodes(std::initializer_list<std::size_t> numbers) const {
    std::vector<Candidate> candidates;
    for (const std::size_t number : numbers) {
      candidates.push_back(candidate_of(cluster->ring()->nodes[number]));
    }
    return candidates;
  }

  void begin(Awaitable<Dialed> dialing) {
    asio::co_spawn(context, std::move(dialing),
                   [this](const std::exception_ptr& failure, Dialed result) {
                     if (!failure) dialed = std::move(result);
                   });
  }
  void finish() {
    context.run_for(10s);
    REQUIRE(dialed);
  }
};

TEST_CASE_METHOD(Fixture, "the first node that answers is connected to", "[dial]") {
  const auto candidates = nodes({0, 1});
  Dial dial(state, slot, log);
  begin(dial.run(candidates));
  finish();
  CHECK(dialed->outcome == DialOutcome::connected);
  CHECK(dialed->candidate == 1);
  CHECK(metrics.backend_dials.value() == 2);
  CHECK(metrics.backend_dial_failures.value() == 1);
  CHECK(cluster->is_down(test::uuid_of(0)));
  CHECK_FALSE(cluster->is_down(test::uuid_of(1)));
  // They are in the configuration, too.
  CHECK(state.backends[0]->health() == BackendHealth::failed);
  CHECK(state.backends[1]->health() == BackendHealth::up);
}

TEST_CASE_METHOD(Fixture, "a node that answers is no longer down", "[dial]") {
  cluster->set_down(test::uuid_of(1), true);
  const auto candidates = nodes({1});
  Dial dial(state, slot, log);
  begin(dial.run(candidates));
  finish();
  CHECK_FALSE(cluster->is_down(test::uuid_of(1)));
}

TEST_CASE_METHOD(Fixture, "where there is no node to dial, none is reached", "[dial]") {
  const std::vector<Candidate> none;
  Dial dial(state, slot, log);
  begin(dial.run(none));
  finish();
  CHECK(dialed->outcome == DialOutcome::unreachable);
  CHECK(dialed->why == "no node is known");
}

TEST_CASE_METHOD(Fixture, "a node that never answers TLS costs dial_timeout", "[dial]") {
  start_tls();
  server.dial_timeout = 50ms;
  const Candidate candidate = candidate_of(server.backends[1]);
  Dial dial(state, slot, log);
  begin(dial.run_only(candidate));
  finish();
  CHECK(dialed->outcome == DialOutcome::unreachable);
  CHECK(dialed->why == "no TLS within dial_timeout (50ms)");
  CHECK(state.backends[1]->health() == BackendHealth::failed);
  CHECK(metrics.backend_dials.value() == 0);
}

TEST_CASE_METHOD(Fixture, "a dial that is aborted ends, and blames nobody", "[dial]") {
  start_tls();
  server.dial_timeout = 1h;
  const auto candidates = nodes({1, 0});
  Dial dial(state, slot, log);
  begin(dial.run(candidates));
  context.run_for(10ms);
  REQUIRE_FALSE(dialed);
  dial.abort();
  context.restart();
  finish();
  CHECK(dialed->outcome == DialOutcome::aborted);
  CHECK(state.backends[1]->health() == BackendHealth::unknown);
  CHECK_FALSE(cluster->is_down(test::uuid_of(1)));
  CHECK(metrics.backend_dials.value() == 1);
}

TEST_CASE("a node is a place and a text, whatever its address") {
  Node node = test::ring_of_three().nodes[2];
  CHECK(candidate_of(node).text == "[2001:db8:6677::3]:9142");
  CHECK(std::get<config::TcpBackend>(candidate_of(node).place).host == "2001:db8:6677::3");
  CHECK(candidate_of(node).host_id == node.host_id);
  node.address = test::ipv4(10, 2, 0, 4);
  CHECK(candidate_of(node).text == "10.2.0.4:9142");
}

TEST_CASE("an address goes from our form to the wire's and back") {
  for (const char* text : {"10.2.0.255", "fd00::5", "0.0.0.0"}) {
    const auto address = rules::IpAddress::parse(text);
    CHECK(to_ip(to_inet(*address)) == *address);
  }
  CHECK(to_inet(*rules::IpAddress::parse("10.2.0.255")) == test::ipv4(10, 2, 0, 255));
}

}  // namespace
}  // namespace gatehouse::cassandra
