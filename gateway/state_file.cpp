#include "gateway/state_file.h"

#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/text_file.h"
#include "gateway/net/descriptor.h"

namespace gatehouse {

namespace {

namespace fs = std::filesystem;

// Nothing of that name, as opposed to something that cannot be looked at.
bool is_missing(const fs::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) != 0 && errno == ENOENT;
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

// Without a slash at the end, which would lead lstat through a link.
fs::path without_slash(const fs::path& folder) {
  return folder.has_filename() ? folder : folder.parent_path();
}

}  // namespace

StateFile::StateFile(const fs::path& folder, const std::string& name, std::size_t size_max)
    : folder_(without_slash(folder)),
      path_(folder_ / name),
      new_path_(folder_ / (name + ".new")),
      size_max_(size_max) {}

StateFile::Found StateFile::read(const config::Configuration& configuration) const {
  config::InputFiles files(configuration.folder);
  Found found{.text = {}, .failure = {}, .name = files.name_of(path_)};
  if (is_missing(folder_)) return found;
  struct stat folder{};
  // A link that leads nowhere is no missing folder: it may lead to a disk that is not mounted.
  if (::stat(folder_.c_str(), &folder) != 0) {
    found.failure = failure(folder_);
    return found;
  }
  if (is_missing(path_)) return found;
  config::FileText file = files.read(path_);
  if (!file.text) {
    found.failure = file.failure;
  } else if (file.text->size() > size_max_) {
    found.failure = fmt::format("over {} bytes", size_max_);
  } else {
    found.text = std::move(file.text);
  }
  return found;
}

// Under another name: at every moment the file's own name leads to a whole one, the old or the new.
std::string StateFile::prepare(std::string_view text) const {
  if (text.size() > size_max_) return fmt::format("the file would be over {} bytes", size_max_);
  std::string why = make_folder(folder_);
  if (!why.empty()) return why;
  const Descriptor descriptor(::open(
      new_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!descriptor) return failure(new_path_);
  if (write_whole(descriptor.get(), text) && ::fsync(descriptor.get()) == 0) return {};
  why = failure(new_path_);
  static_cast<void>(::unlink(new_path_.c_str()));  // where the disk is full, it is in the way
  return why;
}

std::string StateFile::put_in_place() const {
  if (::rename(new_path_.c_str(), path_.c_str()) != 0) return failure(path_);
  return flush_folder(folder_);
}

}  // namespace gatehouse
