// Finding a host's addresses, for no longer than its caller has time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "gateway/net/asio.h"

namespace gatehouse {

// getaddrinfo(3) cannot be stopped once it runs: who gives up leaves it behind, and its answer goes
// nowhere. Asio runs one at a time for each event loop, on a thread of its own; those behind one
// that hangs give up without having begun.
class NameLookup {
 public:
  explicit NameLookup(const Executor& executor);
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;
  ~NameLookup();

  // Once. Empty: the name has no address, or nobody could say, or it was given up; `why()` then has
  // words.
  Awaitable<std::vector<asio::ip::tcp::endpoint>> run(std::string host, std::string port);
  void give_up() noexcept;
  [[nodiscard]] std::string why() const;

 private:
  struct Pending;  // shared with the answer, which may come when nobody waits any more
  std::shared_ptr<Pending> pending_;
};

}  // namespace gatehouse
