// The lists that Azure's command line prints of a database server's rules, as values. Pure: text
// in, values or everything that is wrong out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rules/ip_address.h"

namespace gatehouse::cli {

// The subnet that a vnet rule is about. Two networks may have one name: their ids differ.
struct AzureSubnet {
  std::string id;          // as written
  std::string network_id;  // the part of `id` that tells the network, in lower case
  std::string network;
  std::string name;
  std::string state;  // "Ready", as a rule; empty where the list does not say
};

// All texts are the file's and may hold anything.
struct AzureRule {
  std::size_t element = 0;  // its place in the list, counted from 1
  std::string name;
  std::string server;  // in lower case; empty where the rule does not say whose it is
  std::variant<rules::IpRange, AzureSubnet> what;
};

struct AzureList {
  std::vector<AzureRule> rules;     // in the order of the list
  std::vector<std::string> errors;  // if there is one, `rules` lacks some
  bool has_more_pages = false;
};

// Reads what `az … firewall-rule list -o json` or `az … vnet-rule list -o json` printed, or the
// REST interface's answer. Both kinds of rule may stand in one list.
[[nodiscard]] AzureList read_azure_list(std::string_view json);

// `text` in quotes, as ASCII without control characters, cut to a bound: fit for a terminal, and
// for a comment that it cannot leave.
[[nodiscard]] std::string quoted(std::string_view text);
// How messages call an element: element 3, "oslo-office"
[[nodiscard]] std::string element_name(std::size_t element, std::string_view name);

[[nodiscard]] std::string lower_case(std::string_view text);

}  // namespace gatehouse::cli
