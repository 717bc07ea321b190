#include "config/rule_files.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "config/address_list.h"
#include "config/rule_reader.h"
#include "config/source_file.h"
#include "config/values.h"

namespace gatehouse::config {
namespace {

// Reads a setting of the targets; each may have it from one place only.
template <typename Field, typename Read>
void read_setting(Fields& fields, std::string_view key, const std::vector<ServerRules*>& targets,
                  Field rules::PolicySpec::* field, Read&& read) {
  const auto value = fields.find(key);
  if (!value) return;
  const auto setting = read(*value);
  for (ServerRules* target : targets) {
    const auto [first, is_new] = target->settings.try_emplace(key, value->at());
    if (!is_new) {
      value->error(fmt::format("set twice for server '{}'", target->spec.server),
                   first_at(first->second));
    }
    if (setting) target->spec.*field = *setting;
  }
}

}  // namespace

std::shared_ptr<const rules::RangeSet> AddressLists::read(const Value& value) {
  const auto path = read_path(value);
  if (!path) return nullptr;
  const auto [known, is_new] = lists_.try_emplace(*path);
  List& list = known->second;
  if (is_new) {
    const FileText file = files_.read(*path);
    list.failure = file.failure;
    if (file.text) {
      const std::string name = files_.name_of(*path);
      Diagnostics& diagnostics = value.file().diagnostics;
      require_final_newline(*file.text, name, diagnostics);
      list.addresses =
          std::make_shared<const rules::RangeSet>(read_address_list(*file.text, name, diagnostics));
    }
  }
  if (!list.addresses) {
    value.error(fmt::format("cannot read {}: {}", in_quotes(value.node().text), list.failure));
  }
  return list.addresses;
}

RuleBook::RuleBook(const std::vector<Server>& servers, const rules::NetworkMap& networks,
                   InputFiles& files)
    : servers_(servers), networks_(networks), lists_(files) {
  for (const Server& server : servers) by_server_[server.name].spec.server = server.name;
}

void RuleBook::read_file(const Value& document) {
  // A file of which every line is a comment says nothing, like an empty one.
  if (document.node().kind == YamlKind::null) return;
  read_fields(document, [this](Fields& fields) {
    const Targets targets = read_targets(fields);
    using rules::OnRevoke;
    using rules::PublicNetworkAccess;
    read_setting(fields, "public_network_access", targets,
                 &rules::PolicySpec::public_network_access,
                 one_of<PublicNetworkAccess>({{"enabled", PublicNetworkAccess::enabled},
                                              {"disabled", PublicNetworkAccess::disabled}}));
    read_setting(fields, "locked_down", targets, &rules::PolicySpec::locked_down, read_boolean);
    read_setting(fields, "on_revoke", targets, &rules::PolicySpec::on_revoke,
                 one_of<OnRevoke>({{"close", OnRevoke::close}, {"keep", OnRevoke::keep}}));
    RuleReader(targets, networks_, lists_).read(fields);
  });
}

RuleBook::Targets RuleBook::read_targets(Fields& fields) {
  const auto server = fields.find("server");
  const auto servers = fields.find("servers");
  Targets targets;
  if (server) targets.push_back(find_target(*server));
  if (servers) {
    NamesInUse names;
    for (const Value& item : servers->items()) {
      names.add(item, item.node().text);
      targets.push_back(find_target(item));
    }
  }
  if (server && servers) {
    servers->error("a file has 'server' or 'servers', not both");
  } else if (!server && !servers && fields.is_mapping()) {
    fields.mapping().file().diagnostics.error(fields.mapping().at(),
                                              "missing key 'server' or 'servers'");
  }
  // Once each, and without those that do not exist.
  std::sort(targets.begin(), targets.end());
  targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
  std::erase(targets, nullptr);
  return targets;
}

ServerRules* RuleBook::find_target(const Value& value) {
  const auto name = value.text();
  if (!name) return nullptr;
  if (const auto found = by_server_.find(*name); found != by_server_.end()) return &found->second;
  // Without servers, gateway.yaml is what is wrong.
  if (!servers_.empty()) {
    value.error(in_quotes(*name) + " is no server", suggest(*name, names_of(servers_)));
  }
  return nullptr;
}

std::vector<std::shared_ptr<const rules::Policy>> RuleBook::compile() {
  std::vector<std::shared_ptr<const rules::Policy>> policies;
  for (const Server& server : servers_) {
    auto rules_of_server = by_server_.extract(server.name);
    auto& [spec, names, settings, vnet_rules, endpoints] = rules_of_server.mapped();
    if (const auto set = settings.find("locked_down"); set != settings.end()) {
      spec.locked_down_at = rules::Origin{set->second.file, set->second.line};
    }
    policies.push_back(std::make_shared<const rules::Policy>(std::move(spec)));
  }
  return policies;
}

void read_rules_folder(const FileReference& folder, InputFiles& files, Diagnostics& diagnostics,
                       RuleBook& book) {
  const FolderNames listing = files.list(folder.path);
  if (!listing.names) {
    diagnostics.error(folder.at, fmt::format("rules: cannot read the folder: {}", listing.failure));
    return;
  }
  for (const std::string& name : *listing.names) {
    const auto path = folder.path / name;
    if (path.extension() == ".yml") {
      diagnostics.warning({files.name_of(path), 1, 1}, "this file is not read",
                          "rule files end in .yaml");
    }
    if (path.extension() != ".yaml") continue;
    const auto source = open_source_file(path, files, diagnostics);
    if (!source.document) continue;
    book.read_file(Value(*source.document, "the file", source.file));
  }
}

}  // namespace gatehouse::config
