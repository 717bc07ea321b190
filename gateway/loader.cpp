#include "gateway/loader.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

namespace gatehouse {

namespace {

// A load that others leave no time for goes on as their equal after this, so that what it found is
// in force within a second.
constexpr auto patience = std::chrono::milliseconds(400);

// In Linux each thread has a niceness of its own (setpriority(2)). With the most of it, whoever
// wakes runs at once. Where that cannot be taken back (no CAP_SYS_NICE, and RLIMIT_NICE too low) it
// is less: a tenth of a processor that somebody else wants too.
constexpr int nicest = 19;
constexpr int nice_for_good = 10;

// The calling thread, and no other.
void give_way(int ordinary) noexcept {
  ::setpriority(PRIO_PROCESS, 0, std::min(ordinary + 1, nicest));
  const bool can_be_taken_back = ::setpriority(PRIO_PROCESS, 0, ordinary) == 0;
  ::setpriority(PRIO_PROCESS, 0, can_be_taken_back ? nicest : std::max(ordinary, nice_for_good));
}

int make_event() {
  const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  return event;
}

}  // namespace

Loader::Loader(asio::io_context& context, std::filesystem::path gateway_yaml, TicketKeys& tickets)
    : gateway_yaml_(std::move(gateway_yaml)),
      tickets_(tickets),
      announced_(context.get_executor(), make_event()) {}

Loader::~Loader() {
  stop();
}

void Loader::load(Done done) {
  patience_is_over_ = false;
  patience_.emplace(announced_.get_executor(), patience, [this] { wait_no_longer(); });
  announced_.async_wait(asio::posix::descriptor_base::wait_read,
                        [this, done = std::move(done)](boost::system::error_code error) {
                          if (error) return;
                          stop();
                          ::eventfd_t ignored = 0;
                          ::eventfd_read(announced_.native_handle(), &ignored);
                          done(std::exchange(loaded_, std::nullopt));
                        });
  try {
    thread_ = std::thread([this] { load_while_others_rest(); });
  } catch (const std::exception&) {
    // No thread is to be had: the control thread does it, and everything else waits.
    loaded_ = load_now();
    announce();
  }
}

std::optional<LoadedFiles> Loader::load_now() const noexcept {
  try {
    return load_files(gateway_yaml_, tickets_);
  } catch (const std::exception&) {  // std::bad_alloc; whatever it is, the process goes on
    return std::nullopt;
  }
}

void Loader::stop() noexcept {
  patience_.reset();
  wait_no_longer();
  if (thread_.joinable()) thread_.join();
}

void Loader::load_while_others_rest() noexcept {
  ::pthread_setname_np(::pthread_self(), "loader");
  const int ordinary = ::getpriority(PRIO_PROCESS, 0);
  // First: who is awaited from here on is told so, or sees it below.
  set_thread_id(::gettid());
  give_way(ordinary);
  if (patience_is_over_) ::setpriority(PRIO_PROCESS, 0, ordinary);
  loaded_ = load_now();
  // Before it takes the lock again, for which the control thread may come to wait.
  ::setpriority(PRIO_PROCESS, 0, ordinary);
  set_thread_id(0);  // it may be another's as soon as this ends
  announce();
}

void Loader::set_thread_id(int id) noexcept {
  const std::lock_guard lock(mutex_);
  thread_id_ = id;
}

void Loader::announce() noexcept {
  ::eventfd_write(announced_.native_handle(), 1);
}

// As much of a processor as the control thread has.
void Loader::wait_no_longer() noexcept {
  patience_is_over_ = true;
  const std::lock_guard lock(mutex_);
  if (thread_id_ == 0) return;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(thread_id_), ::getpriority(PRIO_PROCESS, 0));
}

}  // namespace gatehouse
