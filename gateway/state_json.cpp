#include "gateway/state_json.h"

#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace gatehouse {

namespace {

namespace json = boost::json;

constexpr int version = 1;

json::string_view as_key(std::string_view name) {
  return {name.data(), name.size()};
}

}  // namespace

std::optional<json::value> read_state(std::string_view text, std::string_view name,
                                      std::string& problem) {
  json::error_code error;
  json::value value = json::parse(as_key(text), error);
  if (error) {
    problem = "not JSON: " + error.message();
    return std::nullopt;
  }
  json::object* object = value.if_object();
  const json::value* found_version = object != nullptr ? object->if_contains("version") : nullptr;
  if (found_version == nullptr || *found_version != json::value(version)) {
    problem = fmt::format("not of version {}", version);
    return std::nullopt;
  }
  json::value* found = object->if_contains(as_key(name));
  if (object->size() != 2 || found == nullptr) return json::value(nullptr);
  return std::move(*found);
}

std::string state_text(std::string_view name, json::value value) {
  json::object object{{"version", version}};
  object[as_key(name)] = std::move(value);
  return json::serialize(object) + "\n";
}

}  // namespace gatehouse
