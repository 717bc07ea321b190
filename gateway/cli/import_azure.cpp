#include "gateway/cli/import_azure.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "config/name_text.h"
#include "gateway/cli/azure_rules.h"

namespace gatehouse::cli {

namespace {

using config::is_name;
using rules::IpRange;

constexpr std::string_view name_form = "1 to 128 of A-Z, a-z, 0-9, _ and -";

// Azure takes two names that differ in case for one, and so do these. What is given out is a valid
// name, and is given out once.
class UniqueNames {
 public:
  // Whether `name` was valid and free. It is taken now.
  bool take(std::string_view name) {
    return is_name(name) && taken_.insert(lower_case(name)).second;
  }

  // A free name as near to `name` as can be. `otherwise`: what an empty one becomes.
  std::string make(std::string_view name, std::string_view otherwise) {
    constexpr std::size_t room_for_number = 8;
    std::string base(name.empty() ? otherwise : name.substr(0, 128 - room_for_number));
    std::ranges::replace_if(base, [](char c) { return !is_name({&c, 1}); }, '-');
    std::size_t& number = numbers_[lower_case(base)];
    for (;;) {
      std::string candidate = number == 0 ? base : fmt::format("{}-{}", base, number + 1);
      ++number;
      if (take(candidate)) return candidate;
    }
  }

 private:
  std::set<std::string> taken_;
  std::map<std::string, std::size_t> numbers_;  // by base: how many names were tried
};

// What stands in gateway.yaml for one virtual network.
struct Network {
  std::string name;
  UniqueNames names;
  std::map<std::string, std::string> names_by_subnet;  // as in its id, in lower case
  std::vector<std::pair<std::string, const AzureSubnet*>> subnets;
};

// Azure's two pairs of addresses that say something other than a range.
bool is_all_of_azure(const IpRange& range) {
  return range.first.is_unspecified() && range.last.is_unspecified();
}
bool is_everybody(const IpRange& range) {
  return range == rules::all_v4;
}

bool is_no_range(const AzureRule& rule) {
  const auto* range = std::get_if<IpRange>(&rule.what);
  return range != nullptr && (is_all_of_azure(*range) || is_everybody(*range));
}

constexpr std::string_view about_all_of_azure =
    "# On Azure this pair meant everything in Azure's data centres, the machines of other\n"
    "# customers included. Here no rule stands for a cloud: write one for each address that your\n"
    "# own applications call from, such as that of their NAT gateway, or one with a `list` of "
    "them:\n"
    "#   - name: my-application\n"
    "#     range: 203.0.113.10\n";
constexpr std::string_view about_everybody =
    "# On Azure this pair let in everybody. Write a rule for each place that clients really call\n"
    "# from. If it must be everybody: `range: 0.0.0.0/0`, of which `gatehouse check` will warn.\n";
constexpr std::string_view about_networks =
    "\n"
    "# The vnet rules. They are comments because their networks must be in gateway.yaml first: a\n"
    "# rule for a network that does not exist is an error. Fill in what Azure's list does not "
    "say:\n"
    "# how the gateway knows that traffic comes from the network (`matched_by`: the listener "
    "where\n"
    "# it arrives, or an id in a PROXY header) and the range of each subnet. Names are Azure's, "
    "in\n"
    "# lower case.\n"
    "#\n"
    "# In gateway.yaml:\n"
    "#\n";

class Importer {
 public:
  Importer(std::string_view json, const std::optional<std::string>& server)
      : list_(read_azure_list(json)) {
    result_.errors = std::move(list_.errors);
    if (result_.errors.empty()) choose_server(server);
  }

  Imported run() {
    if (!result_.errors.empty()) return std::move(result_);
    if (list_.has_more_pages)
      result_.remarks.emplace_back("holds one page of several: `nextLink` leads to more rules");
    name_rules();
    write_rules();
    write_left_out(all_of_azure_, about_all_of_azure);
    write_left_out(everybody_, about_everybody);
    write_networks();
    result_.rule_file = head() + body_;
    return std::move(result_);
  }

 private:
  void remark(const AzureRule& rule, std::string_view what) {
    result_.remarks.push_back(element_name(rule.element, rule.name) + ": " + std::string(what));
  }

  void choose_server(const std::optional<std::string>& server) {
    std::set<std::string> named;
    for (const AzureRule& rule : list_.rules) {
      if (!rule.server.empty()) named.insert(rule.server);
    }
    std::vector<std::string> shown;
    std::ranges::transform(named, std::back_inserter(shown), quoted);
    const std::string all = fmt::format("{}", fmt::join(shown, ", "));
    if (server) {
      result_.server = *server;
      if (named.size() > 1) choose_among(named, all);
    } else if (named.empty()) {
      result_.errors.emplace_back("does not say whose rules these are: give --server NAME");
    } else if (named.size() > 1) {
      result_.errors.push_back("holds rules of several servers, " + all +
                               ": say which with --server NAME");
    } else if (!config::is_server_name(*named.begin())) {
      result_.errors.push_back(all + " is no name of a server here: give --server NAME");
    } else {
      result_.server = *named.begin();
    }
  }

  void choose_among(const std::set<std::string>& named, const std::string& all) {
    if (named.count(result_.server) == 0) {
      result_.remarks.push_back("the rules of several servers, " + all + ", are joined for " +
                                result_.server);
      return;
    }
    for (const AzureRule& rule : list_.rules) {
      if (rule.server.empty())
        result_.errors.push_back(element_name(rule.element, rule.name) +
                                 ": 'id' does not say whose rule this is, others are of " + all);
    }
    const auto others = std::erase_if(
        list_.rules, [&](const AzureRule& rule) { return rule.server != result_.server; });
    result_.remarks.push_back(
        fmt::format("rules of other servers, not imported: {} (the list is of {})", others, all));
  }

  // Names that are good as they are stay, whatever the others become.
  void name_rules() {
    UniqueNames names;
    names_.resize(list_.rules.size());
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const AzureRule& rule = list_.rules[i];
      if (!is_no_range(rule) && names.take(rule.name)) names_[i] = rule.name;
    }
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const AzureRule& rule = list_.rules[i];
      if (is_no_range(rule) || !names_[i].empty()) continue;
      names_[i] = names.make(rule.name, "rule");
      remark(rule, is_name(rule.name)
                       ? "called " + names_[i] + ": the name is used twice"
                       : fmt::format("called {}: a name is {}", names_[i], name_form));
    }
  }

  void write_rules() {
    std::map<IpRange, const AzureRule*> first_with;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const AzureRule& rule = list_.rules[i];
      const auto* range = std::get_if<IpRange>(&rule.what);
      if (range == nullptr) {
        add_vnet_rule(rule, names_[i]);
      } else if (is_all_of_azure(*range)) {
        leave_out(all_of_azure_, rule, "stood for all of Azure, other customers included");
      } else if (is_everybody(*range)) {
        leave_out(everybody_, rule, "let in everybody");
      } else {
        if (result_.rules++ == 0) body_ += "\nip_rules:\n";
        if (names_[i] != rule.name) body_ += "  # On Azure: " + quoted(rule.name) + "\n";
        body_ += fmt::format("  - name: \"{}\"\n    range: {}\n", names_[i], range->to_string());
        const auto [first, is_new] = first_with.try_emplace(*range, &rule);
        if (!is_new) remark(rule, "says the same as " + called(*first->second));
      }
    }
  }

  static std::string called(const AzureRule& rule) { return element_name(rule.element, rule.name); }

  void leave_out(std::vector<const AzureRule*>& group, const AzureRule& rule,
                 std::string_view why) {
    group.push_back(&rule);
    const auto& range = std::get<IpRange>(rule.what);
    remark(rule, fmt::format("left as a comment: {} to {} {}", range.first.to_string(),
                             range.last.to_string(), why));
  }

  void write_left_out(const std::vector<const AzureRule*>& group, std::string_view about) {
    if (group.empty()) return;
    body_ += '\n';
    for (const AzureRule* rule : group) {
      const auto& range = std::get<IpRange>(rule->what);
      body_ += fmt::format("# Not a rule here: {}, {} to {}.\n", quoted(rule->name),
                           range.first.to_string(), range.last.to_string());
    }
    body_ += about;
    result_.comments += group.size();
  }

  void add_vnet_rule(const AzureRule& rule, const std::string& name) {
    const auto& subnet = std::get<AzureSubnet>(rule.what);
    const auto [place, is_new] = network_by_id_.try_emplace(subnet.network_id, networks_.size());
    if (is_new) {
      networks_.emplace_back();
      networks_.back().name = network_names_.make(lower_case(subnet.network), "network");
    }
    Network& network = networks_[place->second];
    const auto [known, is_new_subnet] =
        network.names_by_subnet.try_emplace(lower_case(subnet.name));
    if (is_new_subnet) {
      known->second = network.names.make(lower_case(subnet.name), "subnet");
      network.subnets.emplace_back(known->second, &subnet);
    } else {
      remark(rule, "says the same as another vnet rule");
    }
    ++result_.comments;
    if (name != rule.name) vnet_rules_ += "#   # On Azure: " + quoted(rule.name) + "\n";
    vnet_rules_ +=
        fmt::format("#   - {{name: \"{}\", subnet: \"{}/{}\"}}", name, network.name, known->second);
    const bool is_ready = subnet.state.empty() || lower_case(subnet.state) == "ready";
    vnet_rules_ += is_ready ? "\n" : "   # its state on Azure: " + quoted(subnet.state) + "\n";
  }

  void write_networks() {
    if (networks_.empty()) return;
    body_ += about_networks;
    body_ += "# networks:\n";
    for (const Network& network : networks_) {
      body_ += fmt::format(
          "#   - name: \"{}\"\n#     matched_by:\n#       - listener: FILL-IN\n#     subnets:\n",
          network.name);
      for (const auto& [name, subnet] : network.subnets) {
        body_ += fmt::format("#       # {}\n#       - {{name: \"{}\", range: FILL-IN}}\n",
                             quoted(subnet->id), name);
      }
    }
    body_ += "#\n# And then here:\n#\n# vnet_rules:\n" + vnet_rules_;
    result_.remarks.emplace_back(
        "vnet rules are left as comments: their networks must be in gateway.yaml first, with "
        "`matched_by` and ranges, which Azure's list does not carry");
  }

  [[nodiscard]] std::string head() const {
    std::string text = fmt::format(
        "# The rules of a server on Azure, as `gatehouse import azure` wrote them.\n"
        "# Rules: {}. Left as comments: {}.\n",
        result_.rules, result_.comments);
    if (result_.rules == 0) text += "# As it stands, this file lets nobody in.\n";
    return text + "server: \"" + result_.server + "\"\n";
  }

  AzureList list_;
  Imported result_;
  std::vector<std::string> names_;  // of list_.rules; empty where it does not become a rule
  std::string body_;
  std::vector<const AzureRule*> all_of_azure_;
  std::vector<const AzureRule*> everybody_;
  UniqueNames network_names_;
  std::map<std::string, std::size_t> network_by_id_;
  std::vector<Network> networks_;
  std::string vnet_rules_;
};

}  // namespace

Imported import_azure(std::string_view json, const std::optional<std::string>& server) {
  return Importer(json, server).run();
}

}  // namespace gatehouse::cli
