#include "gateway/file_watch.h"

#include <array>
#include <cerrno>
#include <system_error>

#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace gatehouse {

namespace {

namespace fs = std::filesystem;

// Not IN_MODIFY: a file that is still being written is not looked at.
constexpr std::uint32_t events = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE |
                                 IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

// A chain of links longer than this is a loop (Linux stops at 40).
constexpr int links_max = 40;

}  // namespace

std::set<fs::path> folders_on_the_way(const fs::path& path) {
  std::set<fs::path> folders;
  std::error_code failure;
  fs::path rest = path;
  for (int links = 0; links < links_max; ++links) {
    fs::path walked;
    bool followed = false;
    for (auto part = rest.begin(); part != rest.end(); ++part) {
      if (*part == "..") {
        walked =
            walked.parent_path();  // no link is left in what was walked, so this is what it says
        continue;
      }
      const fs::path here = walked / *part;
      if (fs::is_symlink(here, failure)) {
        folders.insert(walked);
        fs::path next = walked / fs::read_symlink(here, failure);
        for (++part; part != rest.end(); ++part) next /= *part;
        rest = std::move(next);
        followed = true;
        break;
      }
      walked = here;
    }
    if (!followed) {
      rest = std::move(walked);
      break;
    }
  }
  folders.insert(fs::is_directory(rest, failure) ? rest : rest.parent_path());
  folders.insert(rest.parent_path());
  return folders;
}

FileWatch::FileWatch(asio::io_context& context, std::function<void()> on_change)
    : inotify_(context.get_executor()), on_change_(std::move(on_change)) {
  const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor < 0) return;
  inotify_.assign(descriptor);
  wait();
}

FileWatch::Watched FileWatch::watch(const std::vector<config::Input>& inputs) {
  if (!inotify_.is_open()) {
    return {.problem = "no inotify instance is left, see fs.inotify.max_user_instances"};
  }
  std::set<fs::path> wanted;
  for (const config::Input& input : inputs) wanted.merge(folders_on_the_way(input.path));
  Watched result;
  // Asked for again even if watched: a folder of that name may be another one by now.
  std::map<fs::path, int> watched;
  for (fs::path folder : wanted) {
    // A folder that is gone may come back: whatever is left of the way to it tells.
    std::error_code failure;
    while (!fs::is_directory(folder, failure) && folder.has_relative_path())
      folder = folder.parent_path();
    const int watch = ::inotify_add_watch(inotify_.native_handle(), folder.c_str(), events);
    if (watch >= 0) {
      const auto known = watched_.find(folder);
      result.is_new = result.is_new || known == watched_.end() || known->second != watch;
      watched.emplace(folder, watch);
    } else if (errno != ENOENT && errno != ENOTDIR) {
      result.problem =
          fmt::format("{}: {}", folder.string(), std::generic_category().message(errno));
    }
  }
  for (const auto& [folder, watch] : watched_) {
    bool still_used = false;
    for (const auto& [other_folder, other] : watched) still_used = still_used || other == watch;
    if (!still_used) ::inotify_rm_watch(inotify_.native_handle(), watch);
  }
  watched_ = std::move(watched);
  return result;
}

void FileWatch::stop() {
  boost::system::error_code ignored;
  inotify_.close(ignored);
}

void FileWatch::wait() {
  inotify_.async_wait(asio::posix::descriptor_base::wait_read,
                      [this](boost::system::error_code error) {
                        if (error) return;
                        drain();
                        wait();  // first: whatever fails below, the next change is told
                        on_change_();
                      });
}

void FileWatch::drain() {
  std::array<char, 16384> discarded{};
  while (::read(inotify_.native_handle(), discarded.data(), discarded.size()) > 0) {
  }
}

}  // namespace gatehouse
