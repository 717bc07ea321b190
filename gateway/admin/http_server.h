// /metrics, /healthz and /readyz: reading only, for machines inside. Says nothing of addresses,
// users or rules.
#pragma once

#include <string>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "config/configuration.h"
#include "gateway/net/asio.h"

namespace gatehouse {

class Gateway;

class HttpServer {
 public:
  explicit HttpServer(Gateway& gateway);

  // Empty: listening. Else why not, in words.
  std::string listen(const config::SocketAddress& address);
  // With the port the system chose, where 0 was asked for. REQUIRES: listening.
  [[nodiscard]] config::SocketAddress address();

 private:
  Gateway& gateway_;
  asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor_;
};

}  // namespace gatehouse
