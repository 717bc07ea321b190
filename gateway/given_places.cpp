#include "gateway/given_places.h"

#include <set>
#include <utility>

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "config/name_text.h"
#include "config/time_text.h"
#include "gateway/host_id.h"
#include "gateway/state_json.h"
#include "rules/explain.h"

namespace gatehouse {

namespace {

namespace json = boost::json;

using AllGiven = std::map<std::string, GivenNodes>;

// Sixty listeners with all the places that one gives.
constexpr std::size_t size_max = std::size_t{8} << 20;

// --- reading
// ---------------------------------------------------------------------------------------

std::optional<GivenPlace> read_place(const json::object& object) {
  if (const json::value* port = object.if_contains("port")) {
    json::error_code error;
    const auto number = port->to_number<std::uint16_t>(error);
    if (error || number == 0) return std::nullopt;
    return number;
  }
  const json::value* text = object.if_contains("address");
  if (text == nullptr || !text->is_string()) return std::nullopt;
  return rules::IpAddress::parse(text->get_string());
}

std::optional<GivenNode> read_node(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr || object->size() != 2) return std::nullopt;
  const json::value* left = object->if_contains("left");
  const auto place = read_place(*object);
  if (left == nullptr || !place) return std::nullopt;
  GivenNode node{.place = *place, .left = std::nullopt};
  if (left->is_null()) return node;
  if (!left->is_string()) return std::nullopt;
  node.left = config::parse_time(left->get_string());
  return node.left ? std::optional(node) : std::nullopt;
}

// Unset: `problem` says what is wrong.
std::optional<GivenNodes> read_nodes(const json::value& value, std::string& problem) {
  const json::object* object = value.if_object();
  if (object == nullptr) {
    problem = "no nodes by their host ids";
    return std::nullopt;
  }
  GivenNodes nodes;
  std::set<GivenPlace> places;
  for (const auto& [text, found] : *object) {
    const auto host_id = host_id_in(text);
    const auto node = read_node(found);
    if (!host_id || !node) {
      problem = fmt::format("node {} is not one", nodes.size() + 1);
      return std::nullopt;
    }
    if (!places.insert(node->place).second) {
      problem = fmt::format("node {} has the place of another", std::string(text));
      return std::nullopt;
    }
    nodes.emplace(*host_id, *node);
  }
  return nodes;
}

std::optional<AllGiven> parse(std::string_view text, std::string& problem) {
  const auto listeners = read_state(text, "listeners", problem);
  if (!listeners) return std::nullopt;
  if (!listeners->is_object()) {
    problem = "no listeners by their names";
    return std::nullopt;
  }
  AllGiven all;
  for (const auto& [name, nodes] : listeners->get_object()) {
    if (!config::is_name(name)) {
      problem = fmt::format("listener {} has no name", all.size() + 1);
      return std::nullopt;
    }
    auto given = read_nodes(nodes, problem);
    if (!given) {
      problem = fmt::format("listener {}: {}", std::string(name), problem);
      return std::nullopt;
    }
    all.emplace(std::string(name), std::move(*given));
  }
  return all;
}

// --- writing
// ---------------------------------------------------------------------------------------

json::object to_json(const GivenNode& node) {
  json::object object;
  if (const auto* port = std::get_if<std::uint16_t>(&node.place)) {
    object["port"] = *port;
  } else {
    object["address"] = std::get<rules::IpAddress>(node.place).to_string();
  }
  object["left"] = node.left ? json::value(rules::to_string(*node.left)) : json::value(nullptr);
  return object;
}

std::string to_text(const AllGiven& all) {
  json::object listeners;
  for (const auto& [name, given] : all) {
    json::object nodes;
    for (const auto& [host_id, node] : given) nodes[host_id_text(host_id)] = to_json(node);
    listeners[name] = std::move(nodes);
  }
  return state_text("listeners", std::move(listeners));
}

}  // namespace

std::optional<GivenPlaces> GivenPlaces::read(const config::Configuration& configuration,
                                             config::Diagnostics& diagnostics) {
  GivenPlaces places(configuration);
  const StateFile::Found file = places.file_.read(configuration);
  const auto complain = [&](const std::string& problem) {
    diagnostics.error({.file = file.name}, "cannot tell which nodes' ports are whose: " + problem,
                      "put the file right; or remove it, and all nodes are given new places, which "
                      "drivers that run may take for other nodes");
    return std::nullopt;
  };
  if (!file.failure.empty()) return complain(file.failure);
  if (!file.text) return places;
  std::string problem;
  auto all = parse(*file.text, problem);
  if (!all) return complain(problem);
  places.all_ = std::move(*all);
  places.stored_ = places.all_;
  return places;
}

GivenPlaces::GivenPlaces(const config::Configuration& configuration)
    : file_(configuration.state, "node-places.json", size_max), stored_(AllGiven()) {}

std::string GivenPlaces::store() {
  AllGiven wanted = all_;
  std::erase_if(wanted, [](const auto& entry) { return entry.second.empty(); });
  if (stored_ == wanted) return {};
  std::string why = file_.prepare(to_text(wanted));
  if (!why.empty()) return why;
  stored_.reset();  // until it is certain which file a restart would find
  why = file_.put_in_place();
  if (why.empty()) stored_ = std::move(wanted);
  return why;
}

}  // namespace gatehouse
