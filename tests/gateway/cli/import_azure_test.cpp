#include "gateway/cli/import_azure.h"

#include <algorithm>
#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "config/load.h"
#include "tests/config/temporary_folder.h"

namespace gatehouse::cli {
namespace {

using config::test::TemporaryFolder;
using Texts = std::vector<std::string>;

constexpr std::string_view gateway_yaml = R"(listeners:
  - name: public
    protocol: mariadb
    address: "127.0.0.1:0"
    servers: [orders]
    tls: {certificate: gateway.pem, key: gateway.key}
servers:
  - {name: orders, protocol: mariadb, backends: ["10.1.0.4:3306"]}
rules: rules/
)";

std::string firewall_rule(std::string_view name, std::string_view first, std::string_view last,
                          std::string_view server = "orders") {
  return fmt::format(
      R"({{"name":"{0}","startIpAddress":"{1}","endIpAddress":"{2}","id":"/x/servers/{3}/firewallRules/{0}"}})",
      name, first, last, server);
}

std::string vnet_rule(std::string_view name, std::string_view network, std::string_view subnet,
                      std::string_view group = "rg", std::string_view state = "Ready") {
  return fmt::format(
      R"({{"name":"{}","state":"{}","virtualNetworkSubnetId":"/resourceGroups/{}/virtualNetworks/{}/subnets/{}"}})",
      name, state, group, network, subnet);
}

std::string list_of(const Texts& rules) {
  return fmt::format("[{}]", fmt::join(rules, ","));
}

Imported import_for_orders(const Texts& rules) {
  return import_azure(list_of(rules), "orders");
}

std::shared_ptr<const config::Configuration> load(std::string_view gateway,
                                                  std::string_view rule_file) {
  const TemporaryFolder folder;
  folder.write("rules/orders.yaml", rule_file);
  const auto loaded = config::load(folder.write("gateway.yaml", gateway));
  for (const auto& diagnostic : loaded.diagnostics.all()) {
    UNSCOPED_INFO(to_string(diagnostic));
  }
  UNSCOPED_INFO(rule_file);
  REQUIRE(loaded.configuration != nullptr);
  return loaded.configuration;
}

// What the loader makes of the rule file, one rule a line; it must load as it stands.
Texts rules_in(const Imported& imported) {
  REQUIRE(imported.errors.empty());
  const auto configuration = load(gateway_yaml, imported.rule_file);
  Texts rules;
  for (const rules::Rule& rule : configuration->policies.at(0)->rules()) {
    REQUIRE(rule.kind() == rules::RuleKind::ip);
    rules.push_back(rule.name + " " + std::get<rules::IpRange>(*addresses_of(rule)).to_string());
  }
  CHECK(rules.size() == imported.rules);
  return rules;
}

bool contains(const std::string& text, std::string_view part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

// The lines of `text` from the comment `first` on that are indented below it, as YAML.
std::string uncommented(const std::string& text, const std::string& first) {
  std::istringstream lines(text.substr(text.find("# " + first + "\n")));
  std::string line;
  std::string yaml;
  std::getline(lines, line);
  yaml += line.substr(2) + '\n';
  while (std::getline(lines, line) && line.starts_with("#   ")) yaml += line.substr(2) + '\n';
  return yaml;
}

TEST_CASE("firewall rules become IP rules in the shortest form", "[import]") {
  const auto imported = import_for_orders({
      firewall_rule("one", "203.0.113.7", "203.0.113.7"),
      firewall_rule("block", "203.0.113.64", "203.0.113.127"),
      firewall_rule("range", "198.51.100.4", "198.51.100.9"),
      firewall_rule("low", "0.0.0.0", "0.0.0.1"),
      firewall_rule("half", "0.0.0.0", "127.255.255.255"),
  });
  CHECK(rules_in(imported) == Texts{"block 203.0.113.64/26", "half 0.0.0.0/1", "low 0.0.0.0/31",
                                    "one 203.0.113.7", "range 198.51.100.4-198.51.100.9"});
  CHECK(imported.comments == 0);
  CHECK(imported.remarks.empty());
  CHECK(contains(imported.rule_file, "  - name: \"one\"\n    range: 203.0.113.7\n"));
}

TEST_CASE("an empty list becomes a file that says that it lets nobody in", "[import]") {
  const auto imported = import_for_orders({});
  CHECK(rules_in(imported).empty());
  CHECK(contains(imported.rule_file, "# As it stands, this file lets nobody in.\n"));
}

TEST_CASE("the two pairs that are no ranges are comments that explain themselves", "[import]") {
  const auto imported = import_for_orders({
      firewall_rule("AllowAllWindowsAzureIps", "0.0.0.0", "0.0.0.0"),
      firewall_rule("temporary", "0.0.0.0", "255.255.255.255"),
      firewall_rule("office", "203.0.113.7", "203.0.113.7"),
  });
  CHECK(rules_in(imported) == Texts{"office 203.0.113.7"});
  CHECK(imported.comments == 2);
  CHECK(contains(imported.rule_file,
                 "# Not a rule here: \"AllowAllWindowsAzureIps\", 0.0.0.0 to 0.0.0.0.\n"));
  CHECK(contains(imported.rule_file, "the machines of other\n# customers included"));
  CHECK(contains(imported.rule_file,
                 "# Not a rule here: \"temporary\", 0.0.0.0 to 255.255.255.255.\n"));
  CHECK(contains(imported.rule_file, "let in everybody"));
  CHECK(imported.remarks ==
        Texts{"element 1, \"AllowAllWindowsAzureIps\": left as a comment: 0.0.0.0 to 0.0.0.0 stood "
              "for all of Azure, other customers included",
              "element 2, \"temporary\": left as a comment: 0.0.0.0 to 255.255.255.255 let in "
              "everybody"});
}

TEST_CASE("names are made valid and different, and those that are good stay", "[import]") {
  const auto imported = import_for_orders({
      firewall_rule("my office", "10.0.0.1", "10.0.0.1"),
      firewall_rule("Office", "10.0.0.2", "10.0.0.2"),
      firewall_rule("oFFICE", "10.0.0.3", "10.0.0.3"),
      firewall_rule("my-office", "10.0.0.4", "10.0.0.4"),
      firewall_rule("", "10.0.0.5", "10.0.0.5"),
      firewall_rule(std::string(129, 'a'), "10.0.0.6", "10.0.0.6"),
      firewall_rule("true", "10.0.0.7", "10.0.0.7"),
      firewall_rule("0815", "10.0.0.8", "10.0.0.8"),
      firewall_rule("office-2", "10.0.0.9", "10.0.0.9"),
      firewall_rule(std::string(128, 'b'), "10.0.1.0", "10.0.1.0"),
  });
  CHECK(rules_in(imported) ==
        Texts{"0815 10.0.0.8", "Office 10.0.0.2", std::string(120, 'a') + " 10.0.0.6",
              std::string(128, 'b') + " 10.0.1.0", "my-office 10.0.0.4", "my-office-2 10.0.0.1",
              "oFFICE-3 10.0.0.3", "office-2 10.0.0.9", "rule 10.0.0.5", "true 10.0.0.7"});
  CHECK(imported.remarks.size() == 4);
  CHECK(imported.remarks.at(0) ==
        "element 1, \"my office\": called my-office-2: a name is 1 to 128 of A-Z, a-z, 0-9, _ and "
        "-");
  CHECK(imported.remarks.at(1) == "element 3, \"oFFICE\": called oFFICE-3: the name is used twice");
  CHECK(contains(imported.rule_file, "  # On Azure: \"my office\"\n  - name: \"my-office-2\"\n"));
}

TEST_CASE("the same addresses twice are imported twice, with a remark", "[import]") {
  const auto imported = import_for_orders({
      firewall_rule("a", "10.0.0.0", "10.0.0.255"),
      firewall_rule("b", "10.0.0.0", "10.0.0.255"),
  });
  CHECK(rules_in(imported) == Texts{"a 10.0.0.0/24", "b 10.0.0.0/24"});
  CHECK(imported.remarks == Texts{"element 2, \"b\": says the same as element 1, \"a\""});
}

TEST_CASE("no text of the list leaves its comment or forges a rule", "[import]") {
  for (const std::string_view evil :
       {R"(x\nserver: \"billing\"\nip_rules: [{name: all, range: 0.0.0.0-9.9.9.9}])", R"(x\r- y)",
        R"(\u2028ip_rules:)", R"(\u0085ip_rules:)", R"(\u0000)", R"(\u0004)", R"(\"\\)",
        R"(\u001b[2J)"}) {
    const auto imported = import_for_orders({
        firewall_rule(evil, "10.0.0.1", "10.0.0.1"),
        firewall_rule(evil, "0.0.0.0", "0.0.0.0"),
        firewall_rule(evil, "0.0.0.0", "255.255.255.255"),
        vnet_rule(evil, evil, evil, evil, evil),
    });
    const Texts rules = rules_in(imported);
    REQUIRE(rules.size() == 1);
    CHECK(rules[0].ends_with(" 10.0.0.1"));
    for (const std::string& remark : imported.remarks) {
      CHECK(std::ranges::all_of(remark, [](char c) { return c >= ' ' && c <= '~'; }));
    }
  }
}

TEST_CASE("vnet rules wait as comments for their networks", "[import]") {
  const auto imported = import_for_orders({
      vnet_rule("robots", "Factory", "Robots"),
      vnet_rule("robots-again", "FACTORY", "robots"),
      vnet_rule("ovens", "Factory", "ovens.north", "rg", "Deleting"),
      vnet_rule("elsewhere", "factory", "robots", "another-group"),
      firewall_rule("ROBOTS", "10.0.0.1", "10.0.0.1"),
  });
  CHECK(rules_in(imported) == Texts{"ROBOTS-2 10.0.0.1"});
  CHECK(imported.comments == 4);
  CHECK(contains(imported.rule_file, "   # its state on Azure: \"Deleting\"\n"));
  CHECK(imported.remarks ==
        Texts{"element 5, \"ROBOTS\": called ROBOTS-2: the name is used twice",
              "element 2, \"robots-again\": says the same as another vnet rule",
              "vnet rules are left as comments: their networks must be in gateway.yaml first, with "
              "`matched_by` and ranges, which Azure's list does not carry"});

  // Once filled in and uncommented, they are rules.
  std::string networks = uncommented(imported.rule_file, "networks:");
  for (int next = 0;; ++next) {
    const auto at = networks.find("FILL-IN");
    if (at == std::string::npos) break;
    const bool is_range = networks.compare(at - 7, 7, "range: ") == 0;
    networks.replace(at, 7, is_range ? fmt::format("10.20.{}.0/24", next) : "public");
  }
  const auto second = networks.rfind("listener: public");
  networks.replace(second, 16, "azure_link_id: 7");
  const auto configuration =
      load(std::string(gateway_yaml) + networks,
           imported.rule_file + uncommented(imported.rule_file, "vnet_rules:"));
  Texts rules;
  for (const rules::Rule& rule : configuration->policies.at(0)->rules()) {
    const auto* vnet = std::get_if<rules::VnetRule>(&rule.what);
    if (vnet == nullptr) continue;
    rules.push_back(rule.name + " " + configuration->networks[vnet->network].name + "/" +
                    vnet->subnet->name);
  }
  CHECK(rules == Texts{"elsewhere factory-2/robots", "ovens factory/ovens-north",
                       "robots factory/robots", "robots-again factory/robots"});
}

TEST_CASE("the server is the one that the ids name, or the one that is said", "[import]") {
  const auto by_id =
      import_azure(list_of({firewall_rule("a", "10.0.0.1", "10.0.0.1", "Orders")}), {});
  CHECK(by_id.server == "orders");
  CHECK(rules_in(by_id) == Texts{"a 10.0.0.1"});
  const auto renamed =
      import_azure(list_of({firewall_rule("a", "10.0.0.1", "10.0.0.1", "maria-prod-1")}), "orders");
  CHECK(renamed.server == "orders");
  CHECK(rules_in(renamed) == Texts{"a 10.0.0.1"});
}

TEST_CASE("without a server's name there is no rule file", "[import]") {
  const auto error_of = [](const std::string& list) {
    const auto imported = import_azure(list, {});
    CHECK(imported.rule_file.empty());
    REQUIRE(imported.errors.size() == 1);
    return imported.errors.front();
  };
  CHECK(error_of("[]") == "does not say whose rules these are: give --server NAME");
  CHECK(error_of(list_of({firewall_rule("a", "10.0.0.1", "10.0.0.1", "x_y")})) ==
        "\"x_y\" is no name of a server here: give --server NAME");
  CHECK(error_of(list_of({firewall_rule("a", "10.0.0.1", "10.0.0.1", "orders"),
                          firewall_rule("b", "10.0.0.1", "10.0.0.1", "billing")})) ==
        "holds rules of several servers, \"billing\", \"orders\": say which with --server NAME");
}

TEST_CASE("of several servers one is chosen, or all are joined, and it is said", "[import]") {
  const Texts rules = {firewall_rule("a", "10.0.0.1", "10.0.0.1", "orders"),
                       firewall_rule("b", "10.0.0.2", "10.0.0.2", "billing"),
                       firewall_rule("c", "10.0.0.3", "10.0.0.3", "crm")};
  const auto chosen = import_for_orders(rules);
  CHECK(rules_in(chosen) == Texts{"a 10.0.0.1"});
  CHECK(chosen.remarks == Texts{"rules of other servers, not imported: 2 (the list is of "
                                "\"billing\", \"crm\", \"orders\")"});

  const auto joined = import_azure(list_of({rules[1], rules[2]}), "orders");
  CHECK(rules_in(joined) == Texts{"b 10.0.0.2", "c 10.0.0.3"});
  CHECK(joined.remarks == Texts{"the rules of several servers, \"billing\", \"crm\", are joined "
                                "for orders"});

  // Whose would it be?
  auto with_nobodys = rules;
  with_nobodys.push_back(vnet_rule("d", "v", "s"));
  const auto refused = import_for_orders(with_nobodys);
  CHECK(refused.rule_file.empty());
  CHECK(refused.errors == Texts{"element 4, \"d\": 'id' does not say whose rule this is, others "
                                "are of \"billing\", \"crm\", \"orders\""});
}

TEST_CASE("one wrong element is enough for there to be no rule file", "[import]") {
  const auto imported = import_for_orders({firewall_rule("a", "10.0.0.1", "10.0.0.1"), "3"});
  CHECK(imported.rule_file.empty());
  CHECK(imported.errors == Texts{"element 2: is a number, not a rule"});
}

TEST_CASE("one page of several is remarked upon", "[import]") {
  const auto imported = import_azure(R"({"value":[],"nextLink":"https://more"})", "orders");
  CHECK(rules_in(imported).empty());
  CHECK(imported.remarks == Texts{"holds one page of several: `nextLink` leads to more rules"});
}

TEST_CASE("ten thousand rules of one name are imported in a moment", "[import]") {
  Texts rules;
  for (int i = 0; i < 10000; ++i) {
    rules.push_back(firewall_rule("same name", fmt::format("10.0.{}.{}", i / 256, i % 256),
                                  fmt::format("10.1.{}.{}", i / 256, i % 256)));
  }
  CHECK(rules_in(import_for_orders(rules)).size() == 10000);
}

}  // namespace
}  // namespace gatehouse::cli
