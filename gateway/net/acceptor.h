// Takes connections off one listening socket of one worker. Survives a lack of descriptors or
// memory: it waits a moment and goes on, and what came meanwhile is in the backlog.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "gateway/cassandra/cell.h"
#include "gateway/net/asio.h"
#include "gateway/net/descriptor.h"

namespace gatehouse {

class Worker;

// Whom a listening socket's connections are for.
struct LeadsTo {
  std::string listener;
  std::optional<cassandra::Uuid> node{};  // of a Cassandra cluster; unset: any
};

class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  // `key` names the socket among the worker's. Takes `descriptor`, unless it throws.
  Acceptor(Worker& worker, std::string key, LeadsTo leads_to, Descriptor& descriptor);

  // Again where it was kept from it, too: it waits once, however often it is told.
  void start() {
    if (!waits_) wait();
  }
  void lead_to(LeadsTo leads_to) { leads_to_ = std::move(leads_to); }
  void close();
  [[nodiscard]] const std::string& key() const noexcept { return key_; }

 private:
  void wait();
  void back_off(int error);
  // Takes what is there, within limits. An errno if it has to stop for want of something; else 0.
  int accept_some();

  Worker& worker_;
  std::string key_;
  LeadsTo leads_to_;
  asio::posix::basic_stream_descriptor<Executor> socket_;
  Timer timer_;
  bool waits_ = false;  // for a connection, or for what was missing to take one
  bool starved_ = false;
  bool closed_ = false;
};

}  // namespace gatehouse
