#include "gateway/lockdowns.h"

#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "config/name_text.h"
#include "config/time_text.h"
#include "gateway/state_json.h"
#include "rules/explain.h"

namespace gatehouse {

namespace {

namespace json = boost::json;

// Some eight thousand lockdowns. A larger file is not one of ours.
constexpr std::size_t size_max = std::size_t{1} << 20;

// --- reading
// ---------------------------------------------------------------------------------------

std::optional<Lockdown> read_lockdown(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr || object->size() != 3) return std::nullopt;
  const json::value* server = object->if_contains("server");
  const json::value* since = object->if_contains("since");
  const json::value* uid = object->if_contains("uid");
  if (server == nullptr || !server->is_string() || since == nullptr || !since->is_string() ||
      uid == nullptr) {
    return std::nullopt;
  }
  Lockdown lockdown;
  lockdown.server = server->get_string();
  const auto time = config::parse_time(since->get_string());
  json::error_code error;
  lockdown.uid = uid->to_number<std::uint32_t>(error);
  if (!config::is_server_name(lockdown.server) || !time || error) return std::nullopt;
  lockdown.since = *time;
  return lockdown;
}

bool is_by_server(const Lockdown& one, const Lockdown& other) {
  return one.server < other.server;
}

// Sorted by server. Unset: `problem` says what is wrong.
std::optional<std::vector<Lockdown>> parse(std::string_view text, std::string& problem) {
  const auto list = read_state(text, "lockdowns", problem);
  if (!list) return std::nullopt;
  if (!list->is_array()) {
    problem = "not a list of lockdowns";
    return std::nullopt;
  }
  std::vector<Lockdown> lockdowns;
  for (const json::value& item : list->get_array()) {
    auto lockdown = read_lockdown(item);
    if (!lockdown) {
      problem = fmt::format("lockdown {} is not one", lockdowns.size() + 1);
      return std::nullopt;
    }
    lockdowns.push_back(std::move(*lockdown));
  }
  std::sort(lockdowns.begin(), lockdowns.end(), is_by_server);
  const auto twice = std::adjacent_find(
      lockdowns.begin(), lockdowns.end(),
      [](const Lockdown& one, const Lockdown& other) { return one.server == other.server; });
  if (twice != lockdowns.end()) {
    problem = fmt::format("server '{}' stands there twice", twice->server);
    return std::nullopt;
  }
  return lockdowns;
}

// --- writing
// ---------------------------------------------------------------------------------------

std::string to_text(const std::vector<Lockdown>& lockdowns) {
  json::array list;
  for (const Lockdown& lockdown : lockdowns) {
    list.push_back({{"server", lockdown.server},
                    {"since", rules::to_string(lockdown.since)},
                    {"uid", lockdown.uid}});
  }
  return state_text("lockdowns", std::move(list));
}

}  // namespace

std::optional<Lockdowns> Lockdowns::read(const config::Configuration& configuration,
                                         config::Diagnostics& diagnostics) {
  Lockdowns lockdowns(configuration.state);
  const StateFile::Found file = lockdowns.file_.read(configuration);
  const auto complain = [&](const std::string& problem) {
    diagnostics.error({.file = file.name},
                      "cannot tell which servers are locked down by command: " + problem,
                      "put the file right; or, if no server is to stay locked down, remove it");
    return std::nullopt;
  };
  if (!file.failure.empty()) return complain(file.failure);
  if (!file.text) return lockdowns;
  std::string problem;
  auto all = parse(*file.text, problem);
  if (!all) return complain(problem);
  lockdowns.all_ = std::move(*all);
  return lockdowns;
}

Lockdowns::Lockdowns(const std::filesystem::path& folder)
    : file_(folder, "lockdowns.json", size_max) {}

const Lockdown* Lockdowns::find(std::string_view server) const noexcept {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const Lockdown& lockdown) {
    return lockdown.server == server;
  });
  return found == all_.end() ? nullptr : &*found;
}

void Lockdowns::add(Lockdown lockdown) {
  all_.insert(std::upper_bound(all_.begin(), all_.end(), lockdown, is_by_server),
              std::move(lockdown));
  stored_ = false;
}

std::string Lockdowns::store() {
  return stored_ ? std::string() : write(all_);
}

std::string Lockdowns::remove(std::string_view server) {
  std::vector<Lockdown> others = all_;
  std::erase_if(others, [&](const Lockdown& lockdown) { return lockdown.server == server; });
  std::string why = write(others);
  if (why.empty()) all_ = std::move(others);
  return why;
}

std::string Lockdowns::write(const std::vector<Lockdown>& lockdowns) {
  std::string why = file_.prepare(to_text(lockdowns));
  if (!why.empty()) return why;
  stored_ = false;  // until it is certain which file a restart would find
  why = file_.put_in_place();
  stored_ = why.empty();
  return why;
}

}  // namespace gatehouse
