#include "gateway/cli/azure_rules.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "gateway/ascii.h"

namespace gatehouse::cli {

namespace {

namespace json = boost::json;

// A file that is no list of rules at all should not fill the terminal.
constexpr std::size_t errors_max = 100;

std::string_view kind_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "true or false";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "text";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

// Azure compares ids without regard to case.
std::vector<std::string_view> segments_of(std::string_view id) {
  std::vector<std::string_view> segments;
  while (!id.empty()) {
    const auto slash = id.find('/');
    segments.push_back(id.substr(0, slash));
    id.remove_prefix(slash == std::string_view::npos ? id.size() : slash + 1);
  }
  return segments;
}

// Reads one element of the list, and keeps what is wrong with it.
class ElementReader {
 public:
  ElementReader(std::size_t element, std::vector<std::string>& errors)
      : element_(element), errors_(errors) {}

  std::optional<AzureRule> read(const json::value& value) {
    const auto* object = value.if_object();
    if (object == nullptr) return wrong(fmt::format("is {}, not a rule", kind_of(value)));
    object_ = object;
    properties_ = object;
    const auto name = text(*object, "name");
    if (!name) return std::nullopt;
    name_ = *name;
    if (const json::value* properties = find(*object, "properties")) {
      properties_ = properties->if_object();
      if (properties_ == nullptr)
        return wrong(fmt::format("'properties' is {}, not an object", kind_of(*properties)));
    }
    return read_rule();
  }

 private:
  // The command line writes null for what is not there.
  static const json::value* find(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  std::nullopt_t wrong(std::string_view what) {
    errors_.push_back(element_name(element_, name_) + ": " + std::string(what));
    return std::nullopt;
  }

  std::optional<std::string> text(const json::object& object, std::string_view key) {
    const json::value* value = find(object, key);
    if (value == nullptr) return wrong(fmt::format("'{}' is missing", key));
    const json::string* found = value->if_string();
    if (found == nullptr) return wrong(fmt::format("'{}' is {}, not text", key, kind_of(*value)));
    return std::string(*found);
  }

  std::optional<AzureRule> read_rule() {
    AzureRule rule{.element = element_, .name = std::string(name_), .server = {}, .what = {}};
    if (!read_server(rule)) return std::nullopt;
    const bool has_range = find(*properties_, "startIpAddress") != nullptr ||
                           find(*properties_, "endIpAddress") != nullptr;
    const bool has_subnet = find(*properties_, "virtualNetworkSubnetId") != nullptr;
    if (has_range == has_subnet) {
      return wrong(has_range ? "has both addresses and a subnet"
                             : "is neither a firewall rule ('startIpAddress', 'endIpAddress') "
                               "nor a vnet rule ('virtualNetworkSubnetId')");
    }
    const bool is_read = has_range ? read_range(rule) : read_subnet(rule);
    if (!is_read) return std::nullopt;
    return rule;
  }

  // From an id that ends in servers/NAME/firewallRules/RULE. Another form says nothing.
  bool read_server(AzureRule& rule) {
    if (find(*object_, "id") == nullptr) return true;
    const auto id = text(*object_, "id");
    if (!id) return false;
    const auto segments = segments_of(*id);
    if (segments.size() < 4) return true;
    const auto last = segments.end();
    const std::string type = lower_case(last[-4]);
    const std::string kind = lower_case(last[-2]);
    const bool is_server = type == "servers" || type == "flexibleservers";
    const bool is_rule = kind == "firewallrules" || kind == "virtualnetworkrules";
    if (is_server && is_rule) rule.server = lower_case(last[-3]);
    return true;
  }

  bool read_range(AzureRule& rule) {
    const auto first = read_address("startIpAddress");
    const auto last = read_address("endIpAddress");
    if (!first || !last) return false;
    if (*first > *last) {
      wrong("starts after it ends: " + first->to_string() + " to " + last->to_string());
      return false;
    }
    rule.what = rules::IpRange{*first, *last};
    return true;
  }

  std::optional<rules::IpAddress> read_address(std::string_view key) {
    const auto written = text(*properties_, key);
    if (!written) return std::nullopt;
    const auto address = rules::IpAddress::parse(*written);
    // An IPv4 address in IPv6 clothes is one too.
    if (written->find(':') != std::string::npos)
      return wrong(fmt::format("'{}' is {}: Azure's rules have no IPv6", key, quoted(*written)));
    if (!address)
      return wrong(fmt::format("'{}' is {}, not an IPv4 address", key, quoted(*written)));
    return address;
  }

  bool read_subnet(AzureRule& rule) {
    constexpr std::string_view key = "virtualNetworkSubnetId";
    const auto id = text(*properties_, key);
    if (!id) return false;
    const auto segments = segments_of(*id);
    const auto last = segments.end();
    const bool is_subnet = segments.size() >= 4 && lower_case(last[-4]) == "virtualnetworks" &&
                           lower_case(last[-2]) == "subnets" && !last[-3].empty() &&
                           !last[-1].empty();
    if (!is_subnet) {
      wrong(fmt::format("'{}' is {}, not …/virtualNetworks/NETWORK/subnets/SUBNET", key,
                        quoted(*id)));
      return false;
    }
    const char* const network_end = last[-3].data() + last[-3].size();
    AzureSubnet subnet{.id = *id,
                       .network_id = lower_case({id->data(), network_end}),
                       .network = std::string(last[-3]),
                       .name = std::string(last[-1]),
                       .state = {}};
    if (find(*properties_, "state") != nullptr) {
      const auto state = text(*properties_, "state");
      if (!state) return false;
      subnet.state = *state;
    }
    rule.what = std::move(subnet);
    return true;
  }

  std::size_t element_;
  std::vector<std::string>& errors_;
  std::string name_;
  const json::object* object_ = nullptr;
  const json::object* properties_ = nullptr;  // where the rule's own members are
};

// The list itself, or the one in the REST interface's answer. Null after a complaint.
const json::array* find_list(const json::value& document, AzureList& list) {
  if (const auto* array = document.if_array()) return array;
  const auto* object = document.if_object();
  const json::value* value = object == nullptr ? nullptr : object->if_contains("value");
  if (value == nullptr || !value->is_array()) {
    list.errors.push_back(
        fmt::format("is {}, not a list of rules: print it with `list -o json`", kind_of(document)));
    return nullptr;
  }
  const json::value* next = object->if_contains("nextLink");
  list.has_more_pages = next != nullptr && !next->is_null();
  return value->if_array();
}

}  // namespace

AzureList read_azure_list(std::string_view text) {
  AzureList list;
  constexpr std::string_view utf8_mark = "\xEF\xBB\xBF";
  if (text.starts_with(utf8_mark)) text.remove_prefix(utf8_mark.size());
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    list.errors.emplace_back("is UTF-16, as PowerShell's > writes it: save it as UTF-8");
    return list;
  }
  boost::system::error_code failure;
  const json::value document = json::parse(json::string_view(text), failure);
  if (failure) {
    list.errors.push_back(
        fmt::format("is not JSON ({}): print it with `-o json`", failure.message()));
    return list;
  }
  const json::array* elements = find_list(document, list);
  if (elements == nullptr) return list;
  std::size_t number = 0;
  for (const json::value& element : *elements) {
    if (list.errors.size() >= errors_max) {
      list.errors.emplace_back("and perhaps more");
      break;
    }
    auto rule = ElementReader(++number, list.errors).read(element);
    if (rule) list.rules.push_back(std::move(*rule));
  }
  return list;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t length_max = 250;
  std::string out = "\"";
  for (const char c : text.substr(0, length_max)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte > 0x7E) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + (text.size() > length_max ? "\"..." : "\"");
}

std::string element_name(std::size_t element, std::string_view name) {
  return fmt::format("element {}", element) + (name.empty() ? "" : ", " + quoted(name));
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_lower_case);
  return out;
}

}  // namespace gatehouse::cli
