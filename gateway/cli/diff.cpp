#include "rules/diff.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "config/load.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/output.h"

namespace gatehouse::cli {

namespace {

namespace json = boost::json;

rules::PolicySet policies_of(const config::Configuration& configuration) {
  rules::PolicySet set{.networks = &configuration.networks, .policies = {}};
  for (const auto& policy : configuration.policies) set.policies.push_back(policy.get());
  return set;
}

json::array to_json(const std::vector<rules::AccessChange>& changes) {
  json::array array;
  for (const rules::AccessChange& change : changes) {
    array.push_back(
        {{"server", change.server},
         {"source", change.sources.first.to_string() + "-" + change.sources.last.to_string()},
         {"network", change.network.empty() ? json::value(nullptr) : json::value(change.network)},
         {"rule", cli::to_json(change.rule)}});
  }
  return array;
}

void add_rows(std::vector<std::vector<std::string>>& rows, const char* sign,
              const std::vector<rules::AccessChange>& changes) {
  for (const rules::AccessChange& change : changes) {
    rows.push_back({sign, change.server, change.sources.to_string(),
                    change.network.empty() ? "-" : change.network,
                    fmt::format("{} ({}:{})", change.rule->name, change.rule->origin.file,
                                change.rule->origin.line)});
  }
}

template <typename Item, typename Name, typename Same>
void add_changed(std::vector<std::string>& changed, const char* kind, const Item& before,
                 const Item& after, Name name, Same same) {
  for (const auto& old : before) {
    const auto now = std::find_if(after.begin(), after.end(),
                                  [&](const auto& item) { return name(item) == name(old); });
    if (now != after.end() && !same(old, *now)) changed.push_back(kind + name(old));
  }
}

// Who is taken for whom is not a matter of ranges, and cannot be shown as one.
std::vector<std::string> changed_ways(const config::Configuration& before,
                                      const config::Configuration& after) {
  std::vector<std::string> changed;
  const auto name = [](const auto& item) { return item.name; };
  add_changed(changed, "network ", before.networks.all(), after.networks.all(), name,
              [](const rules::Network& one, const rules::Network& other) {
                return one.matched_by == other.matched_by;
              });
  add_changed(changed, "listener ", before.listeners, after.listeners, name,
              [](const config::Listener& one, const config::Listener& other) {
                const auto senders = [](const config::Listener& listener) {
                  return listener.proxy_protocol ? std::optional(listener.proxy_protocol->from)
                                                 : std::nullopt;
                };
                return one.device == other.device && senders(one) == senders(other);
              });
  return changed;
}

}  // namespace

int diff(const DiffOptions& options) {
  const auto before = config::load(options.before);
  const auto after = config::load(options.after);
  if (!before.configuration || !after.configuration) {
    print_diagnostics(before.diagnostics.all());
    print_diagnostics(after.diagnostics.all());
    return ExitCode::failed;
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto changes =
      rules::diff(policies_of(*before.configuration), policies_of(*after.configuration), now);
  const auto ways = changed_ways(*before.configuration, *after.configuration);
  if (!ways.empty()) {
    fmt::print(stderr,
               "gatehouse diff: how sources are recognised differs too, and is not compared: {}\n",
               fmt::join(ways, ", "));
  }
  if (options.format == Format::json) {
    print_json({{"gained", to_json(changes.gained)}, {"lost", to_json(changes.lost)}});
    return ExitCode::done;
  }
  std::vector<std::vector<std::string>> rows{{"", "SERVER", "SOURCE", "NETWORK", "RULE"}};
  add_rows(rows, "+", changes.gained);
  add_rows(rows, "-", changes.lost);
  if (rows.size() > 1) print_table(rows);
  fmt::print("ranges gained: {}, lost: {}\n", changes.gained.size(), changes.lost.size());
  return ExitCode::done;
}

}  // namespace gatehouse::cli
