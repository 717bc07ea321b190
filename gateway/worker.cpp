#include "gateway/worker.h"

#include <algorithm>
#include <new>

#include <pthread.h>

#include "gateway/limits.h"
#include "gateway/serve.h"

namespace gatehouse {

Worker::Worker(Services services, std::size_t index)
    : services_(services), index_(index), scratch_(limits::relay_scratch_size) {}

// NOLINTNEXTLINE(bugprone-exception-escape): without memory to end its thread, nothing goes on
Worker::~Worker() {
  stop();
}

void Worker::start() {
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "worker");
    run();
  });
}

void Worker::run() {
  // What a handler throws is a lack of memory, and ends what the handler was about; the loop goes
  // on.
  for (;;) {
    try {
      keep_going();
      context_.run();
      return;
    } catch (const std::exception& exception) {
      services_.log.error("a worker caught: {}", exception.what());
    }
  }
}

void Worker::keep_going() {
  if (!awaits_sweep_ && !stopping_) wait_for_sweep();
  for (const auto& acceptor : acceptors_) acceptor->start();
}

void Worker::adopt(std::shared_ptr<const Change> change) {
  post([this, change = std::move(change)]() mutable {
    change_ = std::move(change);
    take_change();
  });
}

// Where a want of memory stops it, it is done again from its beginning with the next sweep.
void Worker::take_change() {
  snapshot_ = change_->snapshot;
  sweep();
  for (const auto& acceptor : acceptors_) {
    const auto found = change_->leads_to.find(acceptor->key());
    if (found != change_->leads_to.end()) acceptor->lead_to(found->second);
  }
  std::erase_if(acceptors_, [&](const std::shared_ptr<Acceptor>& acceptor) {
    const bool has_gone = !change_->leads_to.contains(acceptor->key());
    if (has_gone) acceptor->close();
    return has_gone;
  });
  for (const Change* change = change_.get(); change != nullptr && accepts_;
       change = change->before.get()) {
    take_sockets(change->added);
  }
  change_.reset();
}

void Worker::take_sockets(const ListeningSockets& added) {
  for (const auto& [key, sockets] : added) {
    Descriptor& own = (*sockets)[index_];
    const auto leads_to = change_->leads_to.find(key);
    if (!own || leads_to == change_->leads_to.end()) continue;
    acceptors_.reserve(acceptors_.size() + 1);
    acceptors_.push_back(std::make_shared<Acceptor>(*this, key, leads_to->second, own));
    acceptors_.back()->start();
  }
}

void Worker::stop_accepting() {
  post([this] {
    accepts_ = false;
    for (const auto& acceptor : acceptors_) acceptor->close();
    acceptors_.clear();
    for (Session& session : sessions_) session.stop_waiting();
  });
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  stop_accepting();
  post([this] {
    cut_all(CloseReason::drained);
    stopping_ = true;
    sweep_timer_.cancel();
    work_.reset();
  });
  thread_.join();
}

bool Worker::serve_connection(Descriptor descriptor, const config::SocketAddress& peer,
                              const LeadsTo& leads_to) noexcept {
  const std::uint64_t begun = sessions_begun_;
  try {
    serve(*this, {std::move(descriptor), peer, leads_to.listener, leads_to.node});
    return true;
  } catch (const std::bad_alloc&) {
    if (sessions_begun_ == begun) record_unserved(peer, leads_to);
    return false;
  }
}

// A session that there was no memory to begin.
void Worker::record_unserved(const config::SocketAddress& peer, const LeadsTo& leads_to) noexcept {
  SessionRecord record;
  record.session = next_session();
  record.source.address = peer.ip;
  record.source.port = peer.port;
  record.close_reason = CloseReason::internal_error;
  try {
    record.listener = leads_to.listener;
  } catch (const std::bad_alloc&) {
    record.listener.clear();  // its name is what can be done without
  }
  services_.metrics.sessions_closed(record.close_reason).add();
  services_.audit.denied(std::move(record));
}

void Worker::entered(Session& session) noexcept {
  sessions_.push_back(session);
  ++connections_;
}

void Worker::left(Session& session) noexcept {
  sessions_.erase(Sessions::s_iterator_to(session));
  --connections_;
}

void Worker::cut_all(CloseReason reason) {
  for (Session& session : sessions_) session.cut(reason);
}

void Worker::wait_for_sweep() {
  sweep_timer_.expires_after(limits::sweep_every);
  sweep_timer_.async_wait([this](boost::system::error_code error) {
    awaits_sweep_ = false;
    if (error || stopping_) return;
    wait_for_sweep();  // first: nothing below may keep the next one from coming
    sweep();
    if (change_ != nullptr) take_change();
  });
  awaits_sweep_ = true;
}

void Worker::sweep() {
  const auto steady_now = std::chrono::steady_clock::now();
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  for (Session& session : sessions_) {
    try {
      session.check(steady_now, now);
    } catch (const std::bad_alloc&) {
      session.cut(CloseReason::internal_error);  // what cannot be judged does not go on
    }
  }
}

}  // namespace gatehouse
