// The four lists of rules in a rule file.
#pragma once

#include "config/reader.h"
#include "config/rule_files.h"

namespace gatehouse::config {

// Reads the rules that `fields` holds and gives each to every one of `targets`.
class RuleReader {
 public:
  RuleReader(std::vector<ServerRules*> targets, const rules::NetworkMap& networks,
             AddressLists& lists)
      : targets_(std::move(targets)), networks_(networks), lists_(lists) {}

  void read(Fields& fields);

 private:
  template <typename ReadWhat>
  void read_rules(Fields& fields, std::string_view key, ReadWhat&& read_what);
  void read_common(Fields& fields, rules::Rule& rule);
  [[nodiscard]] rules::Addresses read_addresses(Fields& fields);
  [[nodiscard]] rules::VnetRule read_vnet_rule(Fields& fields);
  [[nodiscard]] rules::PrivateEndpoint read_private_endpoint(Fields& fields);
  [[nodiscard]] std::optional<rules::NetworkId> find_network(const Value& value,
                                                             std::string_view name);
  void note_network(const Value& value, rules::NetworkId network, bool by_endpoint);

  std::vector<ServerRules*> targets_;
  const rules::NetworkMap& networks_;
  AddressLists& lists_;
};

}  // namespace gatehouse::config
