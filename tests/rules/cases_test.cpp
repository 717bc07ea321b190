// Decisions as data files: cases/README.md says how they read. From file to verdict, as the gateway
// does it.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

#include <catch2/catch.hpp>

#include "config/load.h"
#include "config/time_text.h"
#include "rules/policy.h"

namespace gatehouse::rules {
namespace {

// One line of a verdicts.txt.
struct Case {
  int line = 0;
  IpAddress address;
  std::string server;
  std::string verdict;
  std::string reason;
  std::string rule;
  std::string listener;
  std::string aws_vpce_id;  // what ids.aws_vpce_id views
  HeaderIds ids;
  Time now = *config::parse_time("2026-11-21T12:00:00Z");
};

template <typename Number>
Number parse_number(const std::string& text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw std::invalid_argument("not a number: " + text);
  }
  return number;
}

void read_option(const std::string& option, Case& result) {
  const auto equals = option.find('=');
  const std::string key = option.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : option.substr(equals + 1);
  if (key == "listener") {
    result.listener = value;
  } else if (key == "at") {
    const auto time = config::parse_time(value);
    if (!time) throw std::invalid_argument("not a time: " + value);
    result.now = *time;
  } else if (key == "azure-link-id") {
    result.ids.azure_link_id = parse_number<std::uint32_t>(value);
  } else if (key == "aws-vpce-id") {
    result.aws_vpce_id = value;
  } else if (key == "gcp-psc-connection-id") {
    result.ids.gcp_psc_connection_id = parse_number<std::uint64_t>(value);
  } else if (option == "repeated-id=yes") {
    result.ids.repeated = true;
  } else {
    throw std::invalid_argument("not an option: " + option);
  }
}

std::vector<Case> read_cases(const std::filesystem::path& file) {
  std::ifstream stream(file);
  REQUIRE(stream);
  std::vector<Case> cases;
  std::string text;
  for (int line = 1; std::getline(stream, text); ++line) {
    std::istringstream words(text.substr(0, text.find('#')));
    std::string from;
    if (!(words >> from)) continue;
    INFO(file.string() << ':' << line << ": " << text);
    Case one;
    one.line = line;
    const auto address = IpAddress::parse(from);
    REQUIRE(address);
    one.address = *address;
    REQUIRE(words >> one.server >> one.verdict >> one.reason >> one.rule);
    for (std::string option; words >> option;) REQUIRE_NOTHROW(read_option(option, one));
    cases.push_back(std::move(one));
  }
  return cases;
}

Decision decide(const config::Configuration& configuration, const Case& one) {
  HeaderIds ids = one.ids;
  if (!one.aws_vpce_id.empty()) ids.aws_vpce_id = one.aws_vpce_id;
  const Identity identity = configuration.networks.identify(one.listener, one.address, ids);
  const Facts facts{.address = identity.address, .arrival = identity.arrival, .now = one.now};
  if (one.server != "*") {
    const Policy* policy = configuration.find_policy(one.server);
    REQUIRE(policy != nullptr);
    return policy->decide(facts);
  }
  std::vector<PolicyInForce> policies;
  for (const auto& policy : configuration.policies) policies.push_back({policy.get()});
  return decide_for_any(policies, facts);
}

std::vector<std::filesystem::path> all_topics() {
  std::vector<std::filesystem::path> topics;
  for (const auto& entry : std::filesystem::directory_iterator(GATEHOUSE_CASES)) {
    if (entry.is_directory()) topics.push_back(entry.path());
  }
  std::sort(topics.begin(), topics.end());
  return topics;
}

TEST_CASE("every case in cases/ is decided as its line says", "[rules]") {
  std::set<std::string> reasons;
  for (const auto& topic : all_topics()) {
    const auto loaded = config::load(topic / "gateway.yaml");
    for (const auto& diagnostic : loaded.diagnostics.all()) {
      UNSCOPED_INFO(topic.filename().string() << '/' << to_string(diagnostic));
    }
    REQUIRE(loaded.configuration != nullptr);
    const auto file = topic / "verdicts.txt";
    const auto cases = read_cases(file);
    CHECK_FALSE(cases.empty());
    for (const Case& one : cases) {
      INFO(file.string() << ':' << one.line);
      const Decision decision = decide(*loaded.configuration, one);
      const std::string rule = decision.rule == nullptr ? "-" : decision.rule->name;
      reasons.emplace(to_string(decision.reason));
      CHECK(to_string(decision.verdict) == one.verdict);
      CHECK(to_string(decision.reason) == one.reason);
      CHECK(rule == one.rule);
    }
  }
  // Every reason there is has its case, but for those that no rule can give.
  for (std::size_t i = 0; i < reason_count; ++i) {
    const auto reason = static_cast<Reason>(i);
    const bool is_the_gateways = reason == Reason::blocked || reason == Reason::unknown_server;
    CHECK(reasons.count(std::string(to_string(reason))) == (is_the_gateways ? 0 : 1));
  }
}

TEST_CASE("a decision names the file and line of its rule", "[rules]") {
  const auto folder = std::filesystem::path(GATEHOUSE_CASES) / "several-files";
  const auto loaded = config::load(folder / "gateway.yaml");
  REQUIRE(loaded.configuration != nullptr);
  const Policy* policy = loaded.configuration->find_policy("orders");
  REQUIRE(policy != nullptr);
  const Decision decision =
      policy->decide({.address = IpAddress::parse("198.51.100.7"),
                      .arrival = Arrival{.way = Arrival::Way::public_address, .network = {}},
                      .now = {}});
  REQUIRE(decision.rule != nullptr);
  CHECK(decision.rule->origin == Origin{"rules/20-orders.yaml", 3});
  CHECK_FALSE(policy->spec().locked_down_at);
}

TEST_CASE("a policy knows the file and line that lock its server down", "[rules]") {
  const auto folder = std::filesystem::path(GATEHOUSE_CASES) / "several-files";
  const auto loaded = config::load(folder / "gateway.yaml");
  REQUIRE(loaded.configuration != nullptr);
  const Policy* policy = loaded.configuration->find_policy("reports");
  REQUIRE(policy != nullptr);
  CHECK(policy->spec().locked_down);
  CHECK(policy->spec().locked_down_at == Origin{"rules/40-lockdown.yaml", 2});
}

}  // namespace
}  // namespace gatehouse::rules
