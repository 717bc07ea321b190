// The client of a scripted session: on a socket of its own, in the clear or, from where the script
// says so, in TLS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <openssl/ssl.h>

#include "gateway/bytes.h"
#include "gateway/net/descriptor.h"
#include "gateway/net/tls_stream.h"

namespace gatehouse::fuzz {

class ClientSide {
 public:
  ClientSide() = default;
  explicit ClientSide(Descriptor socket) : socket_(std::move(socket)) {}

  // What it can of it, at once; how much that was. While TLS is being begun that is no TLS.
  std::size_t say(Bytes bytes);
  // Asks for TLS 1.2 at most, and for a server by its name, or not.
  void begin_tls(bool is_old, bool names_server);
  // As far as TLS gets with what is there.
  void go_on();
  void read_away();
  void shut_down();
  void close();

 private:
  [[nodiscard]] bool is_secure() const {
    return ssl_ != nullptr && SSL_is_init_finished(ssl_.get());
  }

  Descriptor socket_;
  SslPointer ssl_;
};

}  // namespace gatehouse::fuzz
