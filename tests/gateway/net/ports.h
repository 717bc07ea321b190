// Ports of the loopback that nobody else takes while a test lasts.
#pragma once

#include <cstdint>
#include <string>

#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/socket.h>

#include "config/configuration.h"
#include "gateway/net/descriptor.h"

namespace gatehouse::test {

class Port {
 public:
  explicit Port(bool is_open) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(socket_.get(), any, size) == 0);
    REQUIRE(::getsockname(socket_.get(), any, &size) == 0);
    number_ = ntohs(address.sin_port);
    if (is_open) REQUIRE(::listen(socket_.get(), 8) == 0);
  }

  [[nodiscard]] std::uint16_t number() const { return number_; }
  [[nodiscard]] config::Backend backend() const {
    return {.where = config::TcpBackend{.host = "127.0.0.1", .port = number_},
            .text = "127.0.0.1:" + std::to_string(number_),
            .at = {}};
  }

 private:
  Descriptor socket_;
  std::uint16_t number_ = 0;
};

// Bound and not listening: it refuses.
class ClosedPort : public Port {
 public:
  ClosedPort() : Port(false) {}
};

// The kernel takes connections, and nobody ever says a word on them.
class SilentPort : public Port {
 public:
  SilentPort() : Port(true) {}
};

}  // namespace gatehouse::test
