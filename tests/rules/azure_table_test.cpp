// How Azure's gateway combines public rules, private endpoints and "deny public network access",
// row by row, with rule files as an operator writes them. In each row somebody calls in each way
// there is: people who moved from Azure must find what they left.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "config/load.h"
#include "tests/config/temporary_folder.h"

namespace gatehouse::rules {
namespace {

using config::test::TemporaryFolder;

constexpr std::string_view gateway_yaml = R"(listeners:
  - {name: public, protocol: mariadb, address: "0.0.0.0:0", servers: [orders], tls: {certificate: a, key: b}}
  - {name: vnet, protocol: mariadb, address: "0.0.0.0:0", device: vlan90, servers: [orders], tls: {certificate: a, key: b}}
servers:
  - {name: orders, protocol: mariadb, backends: ["192.0.2.10:3306"]}
networks:
  - name: factory
    matched_by: [listener: vnet]
    subnets:
      - {name: robots, range: 10.20.1.0/24}
      - {name: ovens, range: 10.20.2.0/24}
  - {name: analytics, matched_by: [azure_link_id: 305419896]}
rules: rules/
)";

constexpr std::string_view ip_rules = "ip_rules:\n  - {name: office, range: 203.0.113.0/26}\n";
constexpr std::string_view vnet_rules = "vnet_rules:\n  - {name: robots, subnet: factory/robots}\n";
constexpr std::string_view deny_public = "public_network_access: disabled\n";

std::string endpoint(std::string_view state) {
  return "private_endpoints:\n  - {name: prod, network: analytics, state: " + std::string(state) +
         "}\n";
}

// Who calls: by which listener, from which address, with which link id.
struct Caller {
  std::string_view listener;
  std::string_view address;
  std::optional<std::uint32_t> azure_link_id = std::nullopt;
};
constexpr Caller office{"public", "203.0.113.9"};
constexpr Caller stranger{"public", "198.51.100.7"};
constexpr Caller robot{"vnet", "10.20.1.7"};
constexpr Caller oven{"vnet", "10.20.2.7"};
constexpr Caller by_endpoint{"public", "10.30.0.7", 305419896};
// An endpoint's addresses are private to its network, and may be anything.
constexpr Caller by_endpoint_as_office{"public", "203.0.113.9", 305419896};
constexpr Caller by_endpoint_as_robot{"public", "10.20.1.7", 305419896};

// The server `orders` under the rule file that `parts` make up.
class Server {
 public:
  explicit Server(const std::vector<std::string_view>& parts) {
    std::string text = "server: orders\n";
    for (const std::string_view part : parts) text += part;
    const TemporaryFolder folder;
    folder.write("rules/orders.yaml", text);
    const auto loaded = config::load(folder.write("gateway.yaml", gateway_yaml));
    for (const auto& diagnostic : loaded.diagnostics.all()) UNSCOPED_INFO(to_string(diagnostic));
    REQUIRE(loaded.configuration != nullptr);
    configuration_ = loaded.configuration;
  }

  // "allow" or "deny", and why.
  [[nodiscard]] std::string answer(const Caller& caller) const {
    HeaderIds ids;
    ids.azure_link_id = caller.azure_link_id;
    const auto address = IpAddress::parse(caller.address);
    REQUIRE(address);
    const Identity identity = configuration_->networks.identify(caller.listener, *address, ids);
    const Decision decision = configuration_->find_policy("orders")->decide(
        {.address = identity.address, .arrival = identity.arrival, .now = {}});
    return std::string(to_string(decision.verdict)) + " " + std::string(to_string(decision.reason));
  }

  void lets_nobody_in() const {
    for (const Caller& caller : {office, stranger, robot, oven, by_endpoint, by_endpoint_as_office,
                                 by_endpoint_as_robot}) {
      INFO(caller.listener << ' ' << caller.address);
      CHECK(answer(caller).starts_with("deny "));
    }
  }

  void lets_endpoint_in() const {
    for (const Caller& caller : {by_endpoint, by_endpoint_as_office, by_endpoint_as_robot}) {
      INFO(caller.address);
      CHECK(answer(caller) == "allow private_endpoint");
    }
  }

 private:
  std::shared_ptr<const config::Configuration> configuration_;
};

TEST_CASE("Azure's table: without rules and endpoints nothing reaches the server", "[rules]") {
  const Server server({});
  server.lets_nobody_in();
  CHECK(server.answer(office) == "deny no_matching_rule");
  CHECK(server.answer(robot) == "deny no_matching_rule");
  CHECK(server.answer(by_endpoint) == "deny no_matching_rule");
}

TEST_CASE("Azure's table: with rules and no endpoint only what they name gets in", "[rules]") {
  const Server both({ip_rules, vnet_rules});
  CHECK(both.answer(office) == "allow ip_rule");
  CHECK(both.answer(stranger) == "deny no_matching_rule");
  CHECK(both.answer(robot) == "allow vnet_rule");
  CHECK(both.answer(oven) == "deny no_matching_rule");
  CHECK(both.answer(by_endpoint) == "deny no_matching_rule");

  const Server only_ip({ip_rules});
  CHECK(only_ip.answer(office) == "allow ip_rule");
  CHECK(only_ip.answer(robot) == "deny no_matching_rule");

  const Server only_vnet({vnet_rules});
  CHECK(only_vnet.answer(office) == "deny no_matching_rule");
  CHECK(only_vnet.answer(robot) == "allow vnet_rule");
}

TEST_CASE("Azure's table: with an approved endpoint and no rules it is the only way", "[rules]") {
  const Server server({endpoint("approved")});
  server.lets_endpoint_in();
  for (const Caller& caller : {office, stranger, robot, oven}) {
    CHECK(server.answer(caller) == "deny no_matching_rule");
  }
}

TEST_CASE(
    "Azure's table: with rules and an approved endpoint each traffic has its own kind of rule",
    "[rules]") {
  const Server server({ip_rules, vnet_rules, endpoint("approved")});
  server.lets_endpoint_in();
  CHECK(server.answer(office) == "allow ip_rule");
  CHECK(server.answer(stranger) == "deny no_matching_rule");
  CHECK(server.answer(robot) == "allow vnet_rule");
  CHECK(server.answer(oven) == "deny no_matching_rule");
  // An IP rule for a subnet's addresses is nothing to traffic that comes by the subnet.
  const Server by_address(
      {"ip_rules:\n  - {name: ovens, range: 10.20.2.0/24}\n", endpoint("approved")});
  CHECK(by_address.answer(oven) == "deny no_matching_rule");
}

TEST_CASE("Azure's table: without rules and with no approved endpoint nothing gets in", "[rules]") {
  for (const std::string_view state : {"rejected", "pending"}) {
    const Server server({endpoint(state)});
    server.lets_nobody_in();
    CHECK(server.answer(by_endpoint) == "deny endpoint_not_approved");
  }
  // A deleted one.
  Server({}).lets_nobody_in();
  // A refused endpoint does not fall back on the rules for others.
  const Server with_rules({ip_rules, endpoint("rejected")});
  CHECK(with_rules.answer(by_endpoint_as_office) == "deny endpoint_not_approved");
  CHECK(with_rules.answer(office) == "allow ip_rule");
}

TEST_CASE("Azure's table: denying public access leaves an approved endpoint the only way",
          "[rules]") {
  for (const auto& rules : std::vector<std::vector<std::string_view>>{
           {}, {ip_rules}, {vnet_rules}, {ip_rules, vnet_rules}}) {
    auto parts = rules;
    const std::string approved = endpoint("approved");
    parts.insert(parts.end(), {deny_public, approved});
    const Server server(parts);
    server.lets_endpoint_in();
    for (const Caller& caller : {office, stranger, robot, oven}) {
      CHECK(server.answer(caller) == "deny public_access_disabled");
    }
  }
}

TEST_CASE("Azure's table: denying public access without an endpoint lets nothing in", "[rules]") {
  for (const auto& rules : std::vector<std::vector<std::string_view>>{
           {}, {ip_rules}, {vnet_rules}, {ip_rules, vnet_rules}}) {
    auto parts = rules;
    parts.push_back(deny_public);
    const Server server(parts);
    server.lets_nobody_in();
    CHECK(server.answer(office) == "deny public_access_disabled");
    CHECK(server.answer(robot) == "deny public_access_disabled");
    parts.push_back("private_endpoints:\n  - {name: prod, network: analytics, state: rejected}\n");
    const Server rejected(parts);
    rejected.lets_nobody_in();
    CHECK(rejected.answer(by_endpoint) == "deny endpoint_not_approved");
  }
}

}  // namespace
}  // namespace gatehouse::rules
