// Rule files: what every *.yaml of the rules folder says, joined by server.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/configuration.h"
#include "config/names.h"
#include "config/reader.h"
#include "config/text_file.h"
#include "rules/policy.h"

namespace gatehouse::config {

// Address lists, each read once whatever the number of rules that name it.
class AddressLists {
 public:
  explicit AddressLists(InputFiles& files) : files_(files) {}
  // Null, after a complaint at `value`, if the file that it names cannot be read. What is wrong
  // within the file is complained about there, once.
  [[nodiscard]] std::shared_ptr<const rules::RangeSet> read(const Value& value);

 private:
  struct List {
    std::shared_ptr<const rules::RangeSet> addresses;  // null: could not be read
    std::string failure;
  };
  InputFiles& files_;
  std::map<std::filesystem::path, List> lists_;
};

// What the rule files read so far say about one server, and where: each thing is said once.
struct ServerRules {
  rules::PolicySpec spec;
  NamesInUse names;
  std::map<std::string_view, Location> settings;    // by key
  std::map<rules::NetworkId, Location> vnet_rules;  // by network, the first of each
  std::map<rules::NetworkId, Location> endpoints;
};

class RuleBook {
 public:
  // `servers` and `networks` must outlive it.
  RuleBook(const std::vector<Server>& servers, const rules::NetworkMap& networks,
           InputFiles& files);

  void read_file(const Value& document);

  // REQUIRES: no complaints. One policy for each server, in their order. To be called once.
  [[nodiscard]] std::vector<std::shared_ptr<const rules::Policy>> compile();

 private:
  using Targets = std::vector<ServerRules*>;

  [[nodiscard]] Targets read_targets(Fields& fields);
  [[nodiscard]] ServerRules* find_target(const Value& value);

  const std::vector<Server>& servers_;
  const rules::NetworkMap& networks_;
  AddressLists lists_;
  std::map<std::string, ServerRules, std::less<>> by_server_;
};

// Reads the rules folder, which `folder` names in gateway.yaml, into `book`.
void read_rules_folder(const FileReference& folder, InputFiles& files, Diagnostics& diagnostics,
                       RuleBook& book);

}  // namespace gatehouse::config
