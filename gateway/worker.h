// One thread and one event loop: accepts connections, runs their sessions, and judges them again. A
// session never leaves its worker, so nothing in here takes a lock.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/intrusive/list.hpp>

#include "gateway/cassandra/conversation.h"
#include "gateway/net/acceptor.h"
#include "gateway/net/asio.h"
#include "gateway/net/descriptor.h"
#include "gateway/net/listening.h"
#include "gateway/services.h"
#include "gateway/session.h"
#include "gateway/snapshot.h"

namespace gatehouse {

class Worker {
 public:
  // `index`: which of an address's sockets is its own.
  Worker(Services services, std::size_t index);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // --- by the control thread
  // -----------------------------------------------------------------------

  void start();
  // Where each listening socket, known by its key, leads from now on; sockets of other keys are
  // closed. `added` are new ones. Every session is judged again by the snapshot. One change for all
  // workers; told of it twice, a worker does nothing the second time.
  struct Change {
    std::shared_ptr<const Snapshot> snapshot;
    std::map<std::string, LeadsTo> leads_to;  // by key
    ListeningSockets added;
    std::shared_ptr<const Change> before{};  // where a worker is not done with it: its sockets
  };
  void adopt(std::shared_ptr<const Change> change);
  void stop_accepting();
  // Runs `task` on the worker's thread.
  template <typename Task>
  void post(Task&& task) {
    asio::post(context_, std::forward<Task>(task));
  }
  // Ends what is left and returns when the thread has ended.
  void stop();
  // Connections being served, also those whose record is closed but that still say goodbye. Any
  // thread.
  [[nodiscard]] std::size_t connections() const noexcept { return connections_.load(); }

  // --- on the worker's own thread
  // --------------------------------------------------------------------

  // False: there is no memory for it. It is closed, and recorded.
  [[nodiscard]] bool serve_connection(Descriptor descriptor, const config::SocketAddress& peer,
                                      const LeadsTo& leads_to) noexcept;
  [[nodiscard]] SessionId next_session() noexcept {
    ++sessions_begun_;
    return SessionId{services_.next_session.fetch_add(1, std::memory_order_relaxed)};
  }
  // By a session, when it begins and when nothing is left of it.
  void entered(Session& session) noexcept;
  void left(Session& session) noexcept;
  [[nodiscard]] const std::shared_ptr<const Snapshot>& snapshot() const noexcept {
    return snapshot_;
  }
  [[nodiscard]] std::span<std::uint8_t> scratch() noexcept { return scratch_; }
  [[nodiscard]] cassandra::ConversationBuffers& conversation_buffers() noexcept {
    return conversation_buffers_;
  }
  [[nodiscard]] const Services& services() const noexcept { return services_; }
  [[nodiscard]] Executor executor() noexcept { return context_.get_executor(); }

  using Sessions = boost::intrusive::list<Session, boost::intrusive::constant_time_size<false>>;
  [[nodiscard]] Sessions& sessions() noexcept { return sessions_; }
  void cut_all(CloseReason reason);

 private:
  void run();
  // Begins again what a lack of memory may have stopped.
  void keep_going();
  void take_change();
  void take_sockets(const ListeningSockets& added);
  void record_unserved(const config::SocketAddress& peer, const LeadsTo& leads_to) noexcept;
  void sweep();
  void wait_for_sweep();

  Services services_;
  std::size_t index_;
  asio::io_context context_{1};
  asio::executor_work_guard<Executor> work_{context_.get_executor()};
  Timer sweep_timer_{context_.get_executor()};
  bool awaits_sweep_ = false;
  bool accepts_ = true;
  bool stopping_ = false;
  std::vector<std::uint8_t> scratch_;
  cassandra::ConversationBuffers conversation_buffers_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::shared_ptr<const Change> change_;  // until all of it is done
  std::vector<std::shared_ptr<Acceptor>> acceptors_;
  Sessions sessions_;
  std::uint64_t sessions_begun_ = 0;
  std::atomic<std::size_t> connections_{0};
  std::thread thread_;
};

}  // namespace gatehouse
