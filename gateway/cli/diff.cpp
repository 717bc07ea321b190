#include "rules/diff.h"

#include <chrono>

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
