#include "tests/fuzz/session_world.h"

#include <csignal>
#include <fstream>
#include <iterator>
#include <utility>

#include <boost/json/parse.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include "tests/fuzz/identity.h"
#include "tests/fuzz/own_time.h"
#include "tests/fuzz/require.h"
#include "tests/gateway/cassandra/topology.h"

namespace gatehouse::fuzz {

namespace {

constexpr std::array<std::string_view, 5> servers{"orders", "billing", "hidden", "events", "ring"};
constexpr std::array<std::string_view, rules_count> files{"open.yaml", "changed.yaml",
                                                          "closed.yaml", "no-entry.yaml"};
constexpr std::string_view allowed = "192.0.2.0/24";
constexpr std::string_view allowed_v6 = "2001:db8:1::/48";

// What one turn may take: more handlers than that, and something goes round in circles.
constexpr int handlers_per_turn = 20'000;
constexpr int descriptors_watched = 64;

std::string listener(std::string_view name, std::string_view protocol, std::string_view leads_to,
                     bool is_proxied) {
  return fmt::format(
      "  - name: {}{}\n"
      "    protocol: {}\n"
      "    address: \"127.0.0.1:0\"\n"
      "    servers: [{}]\n"
      "    tls: {{certificate: gateway.pem, key: gateway.key, required: false}}\n{}",
      is_proxied ? "proxied-" : "", name, protocol, leads_to,
      is_proxied ? "    proxy_protocol: {from: [10.0.0.0/28]}\n" : "");
}

std::string rules_for(std::string_view server, RulesNow now) {
  if (server == "hidden") return {};
  const bool is_changed = now == RulesNow::changed;
  std::string text = fmt::format("server: {}\non_revoke: keep\nlocked_down: {}\n", server,
                                 now == RulesNow::closed);
  if (is_changed && server == "billing") return text;
  return text + fmt::format(
                    "ip_rules:\n  - {{name: {0}, range: {1}}}\n"
                    "  - {{name: {0}-v6, range: {2}}}\n",
                    is_changed ? "later" : "first", allowed, allowed_v6);
}

// As bits; all that a run can have opened are among them.
std::uint64_t open_descriptors() {
  std::uint64_t open = 0;
  for (int descriptor = 0; descriptor < descriptors_watched; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0) open |= std::uint64_t{1} << descriptor;
  }
  return open;
}

AuditSettings settings_of(const ConfigFolder& folder) {
  return {.audit = {.file = folder.path() / "audit.jsonl"}, .gateway = {}};
}

// Each time it is asked the minute is over for which denials are folded: none ever is.
AuditClock clock_of(std::atomic<std::int64_t>& minutes) {
  return {.wall = std::chrono::system_clock::now, .steady = [&minutes] {
            return std::chrono::steady_clock::time_point(std::chrono::minutes(minutes += 2));
          }};
}

void reset_close(const Descriptor& socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace

World::Listening World::listen_as(std::string server) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  require(::bind(socket.get(), any, size) == 0 && ::listen(socket.get(), 8) == 0 &&
              ::getsockname(socket.get(), any, &size) == 0,
          "the fuzzer can listen");
  return {std::move(server), std::move(socket), ntohs(address.sin_port)};
}

World::World()
    : log_(STDERR_FILENO, {.level = config::LogLevel::error}),
      worker_(Services{log_, audit_.emplace(settings_of(folder_), log_, clock_of(audit_minutes_)),
                       continuity_.metrics, places_, failed_logins_, thread_ids_, refusals_,
                       next_session_, own_user_},
              0) {
  // A peer that has gone is an error of the write, not of the process.
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  for (const std::string_view server : servers)
    listening_.push_back(listen_as(std::string(server)));
  write_identity(folder_.path());
  load_snapshots();
  publish_ring();
  stop_the_clock();
}

void World::load_snapshots() {
  folder_.write("password", "secret\n");
  for (std::size_t index = 0; index < rules_count; ++index) {
    const auto now = static_cast<RulesNow>(index);
    std::string text = "listeners:\n";
    if (now == RulesNow::no_entry) {
      text += listener("elsewhere", "mariadb", "orders", false);
    } else {
      for (const bool is_proxied : {false, true}) {
        text += listener("transparent", "mariadb", "orders", is_proxied);
        text += listener("routed", "mariadb", "orders, billing, hidden", is_proxied);
        text += listener("single", "cassandra", "events", is_proxied);
        text += listener("ringed", "cassandra", "ring", is_proxied);
      }
    }
    text += "servers:\n";
    for (const Listening& each : listening_) {
      const bool is_ring = each.server == "ring";
      text += fmt::format(
          "  - name: {}\n    protocol: {}\n    backends: [\"127.0.0.1:{}\"]\n"
          "    tls: {{mode: \"off\"}}\n{}{}",
          each.server, is_ring || each.server == "events" ? "cassandra" : "mariadb", each.port,
          each.server == "billing" ? "    send_proxy_protocol: true\n" : "",
          is_ring ? "    topology: {user: gatehouse, password_file: password}\n" : "");
    }
    text += fmt::format(
        "rules: rules-{}/\n"
        "limits: {{sessions: 1, sessions_per_source: 1, handshakes: 1, refusals: 1}}\n",
        index);
    for (const std::string_view server : servers) {
      folder_.write(fmt::format("rules-{}/{}.yaml", index, server), rules_for(server, now));
    }
    folder_.write(files.at(index), text);
    Built built = build_snapshot(load_files(folder_.path() / files.at(index), continuity_.tickets),
                                 continuity_);
    for (const auto& found : built.diagnostics.all()) {
      if (built.snapshot == nullptr) fmt::print(stderr, "{}\n", to_string(found));
    }
    require(built.snapshot != nullptr, "the fuzzer's own configuration is right");
    built.snapshot->generation = index + 1;
    snapshots_.at(index) = std::move(built.snapshot);
  }
}

// A cluster of one node here, and one that is elsewhere and cannot be reached.
void World::publish_ring() {
  cassandra::Ring ring = cassandra::test::ring_of_three();
  ring.nodes.pop_back();
  ring.nodes[0].address = cassandra::test::ipv4(127, 0, 0, 1);
  ring.nodes[0].port = listening_.back().port;
  ring.nodes[1].address = cassandra::test::ipv4(127, 255, 255, 254);
  ring.nodes[1].port = 1;
  NodePlacesNow places;
  std::uint16_t port = 19042;
  for (const cassandra::Node& node : ring.nodes) {
    places.by_node[node.host_id] = {.address = std::nullopt, .port = port++};
    places.served.push_back({node.address, node.port, node.host_id});
  }
  const auto& listeners = snapshots_.front()->listeners;
  for (const ListenerState& state : listeners) {
    if (state.listener->servers.front() != "ring") continue;
    state.places->publish(std::make_shared<const NodePlacesNow>(places));
  }
  snapshots_.front()->find_server("ring")->cluster->publish(
      std::make_shared<const cassandra::Ring>(std::move(ring)));
}

void World::begin() {
  pass(std::chrono::hours(1));
  descriptors_before_ = open_descriptors();
  health_checks_before_ = continuity_.metrics.health_checks.value();
  for (const auto& server : snapshots_.front()->servers) {
    for (const auto& backend : server->backends) backend->succeeded();
    if (server->cluster == nullptr) continue;
    const auto ring = server->cluster->ring();
    if (ring == nullptr) continue;
    for (const auto& node : ring->nodes) server->cluster->set_down(node.host_id, false);
  }
  put_in_force(RulesNow::open);
  turn();
}

Descriptor World::connect(std::string_view listener, const config::SocketAddress& source) {
  std::array<int, 2> ends{};
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0,
          "there are descriptors for a client");
  require(
      worker_.serve_connection(Descriptor(ends[1]), source, {.listener = std::string(listener)}),
      "there is memory for a session");
  return Descriptor(ends[0]);
}

void World::put_in_force(RulesNow rules) {
  worker_.adopt(std::make_shared<Worker::Change>(Worker::Change{
      .snapshot = snapshots_.at(static_cast<std::size_t>(rules)), .leads_to = {}, .added = {}}));
}

void World::turn() {
  auto& context = worker_.executor().context();
  int handlers = 0;
  while (context.poll_one() > 0) {
    require(++handlers < handlers_per_turn, "the gateway waits when there is nothing to do");
  }
  for (const Listening& each : listening_) {
    for (;;) {
      Descriptor socket(
          ::accept4(each.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!socket) break;
      reset_close(socket);
      backends_.push_back({std::move(socket), each.server});
    }
  }
}

void World::take_all_places() {
  static std::atomic<std::uint32_t> handshakes{0};
  auto taken = places_.take(snapshots_.front()->configuration->limits,
                            {"", *rules::IpAddress::parse("192.0.2.200")}, handshakes);
  taken_ = std::get<Place>(std::move(taken));
}

Ends World::end() {
  backends_.clear();
  taken_.reset();
  check_places();
  require(open_descriptors() == descriptors_before_, "no descriptor is left");
  return read_audit();
}

void World::check_places() {
  const Metrics& metrics = continuity_.metrics;
  require(metrics.sessions_open.value() == 0, "no session counts as open");
  require(metrics.handshakes.value() == 0, "no session counts as a handshake");
  require(refusals_ == 0, "nobody is being told any more");
  for (const auto& [name, count] : continuity_.sessions_by_server) {
    require(count == 0, "places at servers are given back");
  }
  for (const auto& [name, count] : continuity_.handshakes_by_listener) {
    require(count == 0, "places at listeners are given back");
  }
  for (const std::string_view server : servers) {
    require(continuity_.metrics.server(server).sessions.value() == 0,
            "no session counts as one of a server");
  }
  take_all_places();
  taken_.reset();
}

Ends World::read_audit() {
  // It is written by a thread of its own, whose time is everybody's.
  const auto give_up = std::chrono::system_clock::now() + std::chrono::seconds(30);
  while (audit_->depth() > 0) {
    require(std::chrono::system_clock::now() < give_up, "the audit is written");
    ::sched_yield();
  }
  const auto path = folder_.path() / "audit.jsonl";
  Ends ends;
  ends.health_checks = continuity_.metrics.health_checks.value() - health_checks_before_;
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(audit_read_));
  for (std::string line; std::getline(file, line);) {
    require(!file.eof(), "the audit has whole lines");
    audit_read_ += line.size() + 1;
    const auto object = boost::json::parse(line).as_object();
    const auto& event = object.at("event").as_string();
    if (event == "opened") ++ends.opened;
    if (event == "closed") ++ends.ended;
    if (event == "denied") {
      const auto* count = object.if_contains("count");
      ends.ended += count == nullptr ? 1 : count->to_number<std::size_t>();
    }
  }
  constexpr std::size_t enough = std::size_t{16} << 20;
  if (audit_read_ > enough) {
    std::filesystem::resize_file(path, 0);
    audit_read_ = 0;
  }
  return ends;
}

}  // namespace gatehouse::fuzz
