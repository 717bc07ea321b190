// How the gateway ends: nobody new, time for those who are there, and then an end for all.
#include <algorithm>
#include <iterator>

#include "gateway/gateway.h"
#include "gateway/notify.h"

namespace gatehouse {

namespace {

// What is still open this long after everything was cut is given up.
constexpr auto last_words = std::chrono::seconds(5);
constexpr auto drain_check = std::chrono::milliseconds(20);

}  // namespace

void Gateway::drain() {
  draining_ = true;
  ready_ = false;
  // First: whatever fails below, the process ends.
  wait_until_drained(std::chrono::steady_clock::now() +
                     snapshot_->configuration->limits.drain_timeout);
  notify_supervisor("STOPPING=1");
  log_.info("stopping; connections open: {}", connections());
  settle_.cancel();
  bound_.clear();
  load_again_ = false;
  watch_->stop();
  backend_watch_.stop();
  cluster_watch_.stop();
  for (const auto& worker : workers_) worker->stop_accepting();
  // What is being loaded is taken no more, and nothing is loaded behind it.
  std::move(asked_to_reload_.begin(), asked_to_reload_.end(), std::back_inserter(answers_due_));
  asked_to_reload_.clear();
}

void Gateway::wait_until_drained(std::chrono::steady_clock::time_point until) {
  drain_timer_.expires_after(drain_check);
  drain_timer_.async_wait([this, until](boost::system::error_code error) {
    if (error) return;
    wait_until_drained(until);
    const auto now = std::chrono::steady_clock::now();
    if (connections() == 0 || now >= until + last_words) {
      context_.stop();
    } else if (now >= until) {
      cut_everything();
    }
  });
}

void Gateway::cut_everything() {
  for (const auto& worker : workers_) {
    worker->post([&worker = *worker] { worker.cut_all(CloseReason::drained); });
  }
}

}  // namespace gatehouse
