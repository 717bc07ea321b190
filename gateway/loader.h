// Loads beside everything else the control thread does: one thread for each load, which gives way
// to all others, but not for long (decisions/0025).
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "gateway/loaded_files.h"
#include "gateway/net/asio.h"
#include "gateway/net/deadline.h"

namespace gatehouse {

class Loader {
 public:
  // `tickets` must outlive what is loaded. Throws std::system_error: no descriptor is left.
  Loader(asio::io_context& context, std::filesystem::path gateway_yaml, TicketKeys& tickets);
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;
  ~Loader();

  // Calls `done` on the context's thread, never before this returns. Unset: there was not enough
  // memory. Throws std::bad_alloc: nothing was begun. REQUIRES: no load is under way.
  using Done = std::function<void(std::optional<LoadedFiles>)>;
  void load(Done done);
  // In the calling thread, at its own pace: where nobody is served yet.
  [[nodiscard]] std::optional<LoadedFiles> load_now() const noexcept;
  // Waits for a load that is under way, of which nobody is told: as long as the disk takes.
  void stop() noexcept;

 private:
  // What the thread does.
  void load_while_others_rest() noexcept;
  void set_thread_id(int id) noexcept;
  void announce() noexcept;
  void wait_no_longer() noexcept;

  std::filesystem::path gateway_yaml_;
  TicketKeys& tickets_;
  asio::posix::basic_stream_descriptor<Executor> announced_;  // an eventfd
  std::optional<Deadline> patience_;
  std::atomic<bool> patience_is_over_{false};
  std::optional<LoadedFiles> loaded_;  // the thread's until it is joined
  std::mutex mutex_;
  int thread_id_ = 0;  // while it loads; held by `mutex_`
  std::thread thread_;
};

}  // namespace gatehouse
