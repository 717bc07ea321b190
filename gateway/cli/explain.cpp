#include "rules/explain.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <fmt/format.h>

#include "config/load.h"
#include "config/time_text.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/output.h"
#include "gateway/lockdowns.h"

namespace gatehouse::cli {

namespace {

namespace json = boost::json;

struct Question {
  rules::IpAddress from;
  rules::Time at;
  rules::PolicyInForce policy;
  const Lockdown* lockdown = nullptr;  // by command
  const rules::NetworkMap* networks = nullptr;
  rules::Identity identity;
};

struct Names {
  std::string network;
  std::string subnet;
};

Names names_of(const Question& question) {
  if (question.identity.arrival.way != rules::Arrival::Way::network) return {};
  const rules::NetworkId network = question.identity.arrival.network;
  const rules::Subnet* subnet = question.networks->subnet(network, question.identity.address);
  return {(*question.networks)[network].name, subnet != nullptr ? subnet->name : std::string()};
}

json::value or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

void print_lockdown(const Question& question) {
  if (question.lockdown != nullptr) {
    fmt::print("  lockdown by command of user {} since {}\n", question.lockdown->uid,
               rules::to_string(question.lockdown->since));
  }
  const rules::PolicySpec& spec = question.policy.written->spec();
  if (spec.locked_down && spec.locked_down_at) {
    fmt::print("  lockdown {}:{}\n", spec.locked_down_at->file, spec.locked_down_at->line);
  }
}

void print(const Question& question, const rules::Explanation& explanation, Format format) {
  const Names names = names_of(question);
  const rules::Decision& decision = explanation.decision;
  const auto& miss = explanation.nearest_miss;
  const std::string why = miss ? rules::describe(*miss, question.identity.address) : std::string();
  if (format == Format::json) {
    print_json({{"server", question.policy.written->server()},
                {"source",
                 {{"address", question.identity.address.to_string()},
                  {"network", or_null(names.network)},
                  {"subnet", or_null(names.subnet)}}},
                {"verdict", rules::to_string(decision.verdict)},
                {"reason", rules::to_string(decision.reason)},
                {"rule", to_json(decision.rule)},
                {"nearest_miss", miss ? json::value{{"rule", to_json(miss->rule)}, {"why", why}}
                                      : json::value(nullptr)}});
    return;
  }
  const bool allowed = decision.verdict == rules::Verdict::allow;
  fmt::print("{}: {}\n", coloured(allowed ? Colour::good : Colour::bad, allowed ? "allow" : "deny"),
             rules::to_string(decision.reason));
  const auto where = [](const rules::Rule& rule) {
    return fmt::format("{} ({}:{})", rule.name, rule.origin.file, rule.origin.line);
  };
  std::string source = question.identity.address.to_string();
  if (!names.network.empty())
    source += " in " + names.network + (names.subnet.empty() ? "" : "/" + names.subnet);
  fmt::print("  source   {}\n  server   {}\n", source, question.policy.written->server());
  if (decision.reason == rules::Reason::locked_down) print_lockdown(question);
  if (decision.rule != nullptr) fmt::print("  rule     {}\n", where(*decision.rule));
  if (miss) fmt::print("  nearest  {}: {}\n", where(*miss->rule), why);
}

// What no session can be like is not explained: an answer would be taken for that of the gateway.
void check_way(const config::Listener& listener, const ExplainOptions& options) {
  const auto& servers = listener.servers;
  if (std::find(servers.begin(), servers.end(), options.server) == servers.end()) {
    throw UsageError(
        fmt::format("listener '{}' does not lead to server '{}'", listener.name, options.server));
  }
  const bool has_id = options.azure_link_id || options.aws_vpce_id || options.gcp_psc_connection_id;
  if (has_id && !listener.proxy_protocol) {
    throw UsageError(fmt::format(
        "listener '{}' has no proxy_protocol: no id of a header arrives there", listener.name));
  }
}

}  // namespace

int explain(const ExplainOptions& options) {
  const auto loaded = config::load(options.config);
  if (!loaded.configuration) {
    print_diagnostics(loaded.diagnostics.all());
    return ExitCode::failed;
  }
  const config::Configuration& configuration = *loaded.configuration;
  config::Diagnostics unreadable;
  const auto lockdowns = Lockdowns::read(configuration, unreadable);
  if (!lockdowns) {
    print_diagnostics(unreadable.all());
    return ExitCode::failed;
  }
  Question question;
  const auto from = rules::IpAddress::parse(options.from);
  if (!from) throw UsageError(fmt::format("--from: '{}' is not an IP address", options.from));
  question.policy.written = configuration.find_policy(options.server);
  if (question.policy.written == nullptr)
    throw UsageError(fmt::format("there is no server '{}'", options.server));
  question.lockdown = lockdowns->find(options.server);
  question.policy.locked_down = question.lockdown != nullptr;
  const auto& listeners = configuration.listeners;
  const auto is_named = [&](const config::Listener& listener) {
    return listener.name == *options.listener;
  };
  if (options.listener) {
    const auto listener = std::find_if(listeners.begin(), listeners.end(), is_named);
    if (listener == listeners.end())
      throw UsageError(fmt::format("there is no listener '{}'", *options.listener));
    check_way(*listener, options);
  }
  const auto at = options.at
                      ? config::parse_time(*options.at)
                      : std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (!at)
    throw UsageError(
        fmt::format("--at: '{}' is not a time such as 2026-12-31T17:00:00Z", *options.at));
  const rules::HeaderIds ids{.azure_link_id = options.azure_link_id,
                             .aws_vpce_id = options.aws_vpce_id,
                             .gcp_psc_connection_id = options.gcp_psc_connection_id,
                             .repeated = false};
  question.networks = &configuration.networks;
  question.identity = configuration.networks.identify(options.listener.value_or(""), *from, ids);
  const auto explanation = rules::explain(
      question.policy,
      {.address = question.identity.address, .arrival = question.identity.arrival, .now = *at});
  print(question, explanation, options.format);
  return explanation.decision.verdict == rules::Verdict::allow ? ExitCode::done : ExitCode::denied;
}

}  // namespace gatehouse::cli
