// Tells when files that a snapshot was made of may have changed: closed after writing, renamed into
// place, removed, or reached by another path because a symbolic link was swapped, as Kubernetes
// does. It only says "look": what has changed is found by reading.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "config/load.h"
#include "gateway/net/asio.h"

namespace gatehouse {

class FileWatch {
 public:
  // `on_change` is called on the context's thread, once for a burst of events.
  FileWatch(asio::io_context& context, std::function<void()> on_change);

  struct Watched {
    bool is_new = false;  // some folder was not watched before
    std::string problem;  // not empty: what cannot be watched
  };
  // From now on, exactly the folders from which these files are reached.
  Watched watch(const std::vector<config::Input>& inputs);
  void stop();

 private:
  void wait();
  void drain();

  asio::posix::basic_stream_descriptor<Executor> inotify_;
  std::function<void()> on_change_;
  std::map<std::filesystem::path, int> watched_;
};

// The folders in which a change may lead `path` to other content: its own, those of symbolic links
// on the way, and where they lead.
[[nodiscard]] std::set<std::filesystem::path> folders_on_the_way(const std::filesystem::path& path);

}  // namespace gatehouse
