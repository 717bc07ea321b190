// Takes connections off one listening socket of one worker. Survives a lack of descriptors or
// memory: it waits a moment and goes on, and what came meanwhile is in the backlog.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "gateway/net/asio.h"
#include "gateway/net/descriptor.h"

namespace gatehouse {

class Worker;

class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  // `key` names the socket among the worker's; `listener` is where its connections lead.
  Acceptor(Worker& worker, std::string key, std::string listener, Descriptor descriptor);

  void start() { wait(); }
  void lead_to(const std::string& listener) { listener_ = listener; }
  void close();
  [[nodiscard]] const std::string& key() const noexcept { return key_; }

 private:
  void wait();
  void back_off(int error);
  // Takes what is there, within limits. An errno if it has to stop for want of something; else 0.
  int accept_some();

  Worker& worker_;
  std::string key_;
  std::string listener_;
  asio::posix::basic_stream_descriptor<Executor> socket_;
  Timer timer_;
  bool starved_ = false;
  bool closed_ = false;
};

}  // namespace gatehouse
