#include "gateway/cli/azure_rules.h"

#include <catch2/catch.hpp>

namespace gatehouse::cli {
namespace {

using Errors = std::vector<std::string>;

constexpr std::string_view subnet_id =
    "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/Factory/"
    "subnets/Robots";

Errors errors_of(std::string_view json) {
  return read_azure_list(json).errors;
}

std::string range_of(const AzureRule& rule) {
  return std::get<rules::IpRange>(rule.what).to_string();
}

// The one error of a list whose second element is `element`.
std::string error_of(std::string_view element) {
  const auto list =
      read_azure_list(R"([{"name":"good","startIpAddress":"10.0.0.1","endIpAddress":"10.0.0.1"},)" +
                      std::string(element) + "]");
  CHECK(list.rules.size() == 1);
  REQUIRE(list.errors.size() == 1);
  return list.errors.front();
}

TEST_CASE("a list of firewall rules is read as the command line prints it", "[import]") {
  const auto list = read_azure_list(R"([
  {
    "endIpAddress": "203.0.113.63",
    "id": "/subscriptions/1/resourceGroups/rg/providers/Microsoft.DBforMariaDB/servers/Orders/firewallRules/office",
    "name": "office",
    "resourceGroup": "rg",
    "startIpAddress": "203.0.113.0",
    "type": "Microsoft.DBforMariaDB/servers/firewallRules"
  }
])");
  CHECK(list.errors.empty());
  CHECK_FALSE(list.has_more_pages);
  REQUIRE(list.rules.size() == 1);
  CHECK(list.rules[0].element == 1);
  CHECK(list.rules[0].name == "office");
  CHECK(list.rules[0].server == "orders");
  CHECK(range_of(list.rules[0]) == "203.0.113.0/26");
}

TEST_CASE("a list of vnet rules is read as the command line prints it", "[import]") {
  const auto list = read_azure_list(R"([{
    "id": "/subscriptions/1/resourceGroups/rg/providers/Microsoft.DBforMariaDB/servers/orders/virtualNetworkRules/robots",
    "ignoreMissingVnetServiceEndpoint": false,
    "name": "robots",
    "state": "Ready",
    "virtualNetworkSubnetId": ")" + std::string(subnet_id) +
                                    "\"}]");
  CHECK(list.errors.empty());
  REQUIRE(list.rules.size() == 1);
  CHECK(list.rules[0].server == "orders");
  const auto& subnet = std::get<AzureSubnet>(list.rules[0].what);
  CHECK(subnet.id == subnet_id);
  CHECK(subnet.network == "Factory");
  CHECK(subnet.name == "Robots");
  CHECK(subnet.state == "Ready");
  CHECK(subnet.network_id ==
        "/subscriptions/1/resourcegroups/rg/providers/microsoft.network/virtualnetworks/factory");
}

TEST_CASE("the REST interface's answer is read too, and whether it goes on", "[import]") {
  constexpr std::string_view rules =
      R"("value":[{"name":"a","properties":{"startIpAddress":"10.0.0.1","endIpAddress":"10.0.0.2"}},
                  {"name":"b","properties":{"virtualNetworkSubnetId":"/virtualNetworks/v/subnets/s"}}])";
  const auto last = read_azure_list("{" + std::string(rules) + R"(,"nextLink":null})");
  CHECK(last.errors.empty());
  REQUIRE(last.rules.size() == 2);
  CHECK(range_of(last.rules[0]) == "10.0.0.1-10.0.0.2");
  CHECK(std::get<AzureSubnet>(last.rules[1].what).network == "v");
  CHECK_FALSE(last.has_more_pages);
  CHECK(read_azure_list("{" + std::string(rules) + R"(,"nextLink":"https://x"})").has_more_pages);
}

TEST_CASE("an id of another form says nothing of the server", "[import]") {
  const auto server_of = [](std::string_view id) {
    const auto list = read_azure_list(
        R"([{"name":"a","startIpAddress":"10.0.0.1","endIpAddress":"10.0.0.1","id":")" +
        std::string(id) + "\"}]");
    REQUIRE(list.rules.size() == 1);
    return list.rules[0].server;
  };
  CHECK(server_of("/x/flexibleServers/Crm/FirewallRules/a") == "crm");
  CHECK(server_of("servers/crm/virtualNetworkRules/a") == "crm");
  CHECK(server_of("/resourceGroups/servers/crm/other/a").empty());
  CHECK(server_of("/x/servers/crm").empty());
  CHECK(server_of("").empty());
  CHECK(server_of("////").empty());
}

TEST_CASE("an element that is no rule is told by its place and name", "[import]") {
  CHECK(error_of("7") == "element 2: is a number, not a rule");
  CHECK(error_of("[]") == "element 2: is a list, not a rule");
  CHECK(error_of("{}") == "element 2: 'name' is missing");
  CHECK(error_of(R"({"name":null})") == "element 2: 'name' is missing");
  CHECK(error_of(R"({"name":{}})") == "element 2: 'name' is an object, not text");
  CHECK(error_of(R"({"name":"b"})") ==
        "element 2, \"b\": is neither a firewall rule ('startIpAddress', 'endIpAddress') nor a "
        "vnet rule ('virtualNetworkSubnetId')");
  CHECK(error_of(R"({"name":"b","properties":true})") ==
        "element 2, \"b\": 'properties' is true or false, not an object");
  CHECK(error_of(R"({"name":"b","id":1,"startIpAddress":"10.0.0.1","endIpAddress":"10.0.0.1"})") ==
        "element 2, \"b\": 'id' is a number, not text");
  CHECK(error_of(R"({"name":"b","startIpAddress":"10.0.0.1","endIpAddress":"10.0.0.1",
                     "virtualNetworkSubnetId":"/virtualNetworks/v/subnets/s"})") ==
        "element 2, \"b\": has both addresses and a subnet");
}

TEST_CASE("addresses that Azure could not have had are errors", "[import]") {
  const auto rule = [](std::string_view first, std::string_view last) {
    return R"({"name":"b","startIpAddress":)" + std::string(first) + R"(,"endIpAddress":)" +
           std::string(last) + "}";
  };
  CHECK(error_of(rule("null", R"("10.0.0.1")")) == "element 2, \"b\": 'startIpAddress' is missing");
  CHECK(error_of(R"({"name":"b","startIpAddress":"10.0.0.1"})") ==
        "element 2, \"b\": 'endIpAddress' is missing");
  CHECK(error_of(rule("1", R"("10.0.0.1")")) ==
        "element 2, \"b\": 'startIpAddress' is a number, not text");
  CHECK(error_of(rule(R"("10.0.0.0/8")", R"("10.0.0.1")")) ==
        "element 2, \"b\": 'startIpAddress' is \"10.0.0.0/8\", not an IPv4 address");
  CHECK(error_of(rule(R"("10.0.0.1")", R"("010.0.0.1")")) ==
        "element 2, \"b\": 'endIpAddress' is \"010.0.0.1\", not an IPv4 address");
  CHECK(error_of(rule(R"("10.0.0.1")", R"("::ffff:10.0.0.1")")) ==
        "element 2, \"b\": 'endIpAddress' is \"::ffff:10.0.0.1\": Azure's rules have no IPv6");
  CHECK(error_of(rule(R"("10.0.0.9")", R"("10.0.0.1")")) ==
        "element 2, \"b\": starts after it ends: 10.0.0.9 to 10.0.0.1");
}

TEST_CASE("the ends of a range are compared as numbers, not as text", "[import]") {
  const auto list =
      read_azure_list(R"([{"name":"a","startIpAddress":"10.0.0.96","endIpAddress":"10.0.0.111"}])");
  REQUIRE(list.errors.empty());
  CHECK(range_of(list.rules.at(0)) == "10.0.0.96/28");
}

TEST_CASE("a subnet's id must name a network and a subnet", "[import]") {
  const auto error = [](std::string_view id) {
    return error_of(R"({"name":"b","virtualNetworkSubnetId":")" + std::string(id) + "\"}");
  };
  const auto expected = [](std::string_view id) {
    return "element 2, \"b\": 'virtualNetworkSubnetId' is \"" + std::string(id) +
           "\", not …/virtualNetworks/NETWORK/subnets/SUBNET";
  };
  for (const std::string_view id :
       {"", "/", "robots", "/virtualNetworks/v/subnets", "/virtualNetworks//subnets/s",
        "/classicVirtualNetworks/v/subnets/s", "/virtualNetworks/v/subnets/s/more"}) {
    CHECK(error(id) == expected(id));
  }
  CHECK(error_of(
            R"({"name":"b","virtualNetworkSubnetId":"virtualNetworks/v/subnets/s","state":1})") ==
        "element 2, \"b\": 'state' is a number, not text");
}

TEST_CASE("every wrong element is told, up to a hundred", "[import]") {
  CHECK(errors_of("[1, {}, []]").size() == 3);
  std::string many = "[0";
  for (int i = 0; i < 500; ++i) many += ",0";
  const Errors errors = errors_of(many + "]");
  CHECK(errors.size() == 101);
  CHECK(errors.back() == "and perhaps more");
}

TEST_CASE("what is no list says how to print one", "[import]") {
  CHECK(errors_of("") == Errors{"is not JSON (incomplete JSON): print it with `-o json`"});
  CHECK(errors_of("Name    StartIp\n") ==
        Errors{"is not JSON (syntax error): print it with `-o json`"});
  CHECK(errors_of("[] []").size() == 1);
  CHECK(errors_of("[\"\xFF\"]").size() == 1);
  CHECK(errors_of(std::string(100, '[') + std::string(100, ']')).size() == 1);
  CHECK(errors_of("{}") ==
        Errors{"is an object, not a list of rules: print it with `list -o json`"});
  CHECK(errors_of("3") == Errors{"is a number, not a list of rules: print it with `list -o json`"});
  CHECK(errors_of(R"({"value":3})").size() == 1);
  CHECK(errors_of("\xFF\xFE[\0]\0") ==
        Errors{"is UTF-16, as PowerShell's > writes it: save it as UTF-8"});
  CHECK(errors_of("\xEF\xBB\xBF[]").empty());
}

TEST_CASE("text that is shown stays within its quotes and its line", "[import]") {
  CHECK(quoted("office") == "\"office\"");
  CHECK(quoted("a\"b\\c") == R"("a\"b\\c")");
  CHECK(quoted(std::string_view("\n\r\0\x7F\x1B[2J", 8)) == R"("\x0a\x0d\x00\x7f\x1b[2J")");
  CHECK(quoted("\u2028\u0085ø") == R"("\xe2\x80\xa8\xc2\x85\xc3\xb8")");
  CHECK(quoted(std::string(250, 'a')) == "\"" + std::string(250, 'a') + "\"");
  CHECK(quoted(std::string(251, 'a')) == "\"" + std::string(250, 'a') + "\"...");
}

}  // namespace
}  // namespace gatehouse::cli
