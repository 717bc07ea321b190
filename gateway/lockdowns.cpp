#include "gateway/lockdowns.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/name_text.h"
#include "config/text_file.h"
#include "config/time_text.h"
#include "gateway/net/descriptor.h"
#include "rules/explain.h"

namespace gatehouse {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr const char* file_name = "lockdowns.json";
constexpr const char* new_file_name = "lockdowns.json.new";
constexpr int version = 1;
// Some eight thousand lockdowns. A larger file is not one of ours.
constexpr std::size_t size_max = std::size_t{1} << 20;

// --- reading
// ---------------------------------------------------------------------------------------

// Nothing of that name, as opposed to something that cannot be looked at.
bool is_missing(const fs::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) != 0 && errno == ENOENT;
}

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
  json::error_code error;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) {
    problem = "not JSON: " + error.message();
    return std::nullopt;
  }
  const json::object* object = value.if_object();
  const json::value* found_version = object != nullptr ? object->if_contains("version") : nullptr;
  if (found_version == nullptr || *found_version != json::value(version)) {
    problem = fmt::format("not of version {}", version);
    return std::nullopt;
  }
  const json::value* list = object->if_contains("lockdowns");
  if (object->size() != 2 || list == nullptr || !list->is_array()) {
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
  return json::serialize(json::object{{"version", version}, {"lockdowns", std::move(list)}}) + "\n";
}

std::string failure(const fs::path& path) {
  return fmt::format("{}: {}", path.string(), std::generic_category().message(errno));
}

bool write_whole(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ::ssize_t size = ::write(descriptor, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

// Names are on disk once their folder is.
std::string flush_folder(const fs::path& folder) {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return descriptor && ::fsync(descriptor.get()) == 0 ? std::string() : failure(folder);
}

// Only its owner may look into it.
std::string make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), S_IRWXU) == 0) return flush_folder(folder.parent_path());
  return errno == EEXIST ? std::string() : failure(folder);
}

// Under another name: at every moment the file's own name leads to a whole one, the old or the new.
std::string write_new_file(const fs::path& folder, std::string_view text) {
  const fs::path path = folder / new_file_name;
  const Descriptor descriptor(::open(
      path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!descriptor) return failure(path);
  if (write_whole(descriptor.get(), text) && ::fsync(descriptor.get()) == 0) return {};
  std::string why = failure(path);
  static_cast<void>(::unlink(path.c_str()));  // where the disk is full, it is in the way
  return why;
}

std::string put_in_place(const fs::path& folder) {
  const fs::path path = folder / file_name;
  if (::rename((folder / new_file_name).c_str(), path.c_str()) != 0) return failure(path);
  return flush_folder(folder);
}

}  // namespace

std::optional<Lockdowns> Lockdowns::read(const config::Configuration& configuration,
                                         config::Diagnostics& diagnostics) {
  Lockdowns lockdowns(configuration.state);
  const fs::path path = lockdowns.folder_ / file_name;
  config::InputFiles files(configuration.folder);
  const auto complain = [&](const std::string& problem) {
    diagnostics.error({.file = files.name_of(path)},
                      "cannot tell which servers are locked down by command: " + problem,
                      "put the file right; or, if no server is to stay locked down, remove it");
    return std::nullopt;
  };
  if (is_missing(lockdowns.folder_)) return lockdowns;
  struct stat folder{};
  // A link that leads nowhere is no missing folder: it may lead to a disk that is not mounted.
  if (::stat(lockdowns.folder_.c_str(), &folder) != 0) return complain(failure(lockdowns.folder_));
  if (is_missing(path)) return lockdowns;
  const config::FileText file = files.read(path);
  if (!file.text) return complain(file.failure);
  if (file.text->size() > size_max) return complain(fmt::format("over {} bytes", size_max));
  std::string problem;
  auto all = parse(*file.text, problem);
  if (!all) return complain(problem);
  lockdowns.all_ = std::move(*all);
  return lockdowns;
}

// Without a slash at the end, which would lead lstat through a link.
Lockdowns::Lockdowns(fs::path folder)
    : folder_(folder.has_filename() ? std::move(folder) : folder.parent_path()) {}

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
  const std::string text = to_text(lockdowns);
  if (text.size() > size_max) return fmt::format("the file would be over {} bytes", size_max);
  std::string why = make_folder(folder_);
  if (why.empty()) why = write_new_file(folder_, text);
  if (!why.empty()) return why;
  stored_ = false;  // until it is certain which file a restart would find
  why = put_in_place(folder_);
  stored_ = why.empty();
  return why;
}

}  // namespace gatehouse
