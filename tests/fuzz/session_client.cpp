#include "tests/fuzz/session_client.h"

#include <array>

#include <openssl/err.h>
#include <sys/socket.h>

#include "gateway/net/tls_files.h"
#include "tests/fuzz/require.h"

namespace gatehouse::fuzz {

namespace {

SSL_CTX* context() {
  static const TlsPointer<SSL_CTX> made(SSL_CTX_new(TLS_client_method()));
  return made.get();
}

// What goes wrong on this side is the script's doing; the gateway's errors stand in the same place.
class OwnErrors {
 public:
  OwnErrors() = default;
  OwnErrors(const OwnErrors&) = delete;
  OwnErrors& operator=(const OwnErrors&) = delete;
  ~OwnErrors() { ERR_clear_error(); }
};

}  // namespace

std::size_t ClientSide::say(Bytes bytes) {
  if (!socket_ || bytes.empty()) return 0;
  if (is_secure()) {
    const OwnErrors errors;
    std::size_t written = 0;
    SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
    return written;
  }
  const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

void ClientSide::begin_tls(bool is_old, bool names_server) {
  if (!socket_ || ssl_ != nullptr) return;
  ssl_.reset(SSL_new(context()));
  require(ssl_ != nullptr && SSL_set_fd(ssl_.get(), socket_.get()) == 1, "a client can have TLS");
  if (is_old) SSL_set_max_proto_version(ssl_.get(), TLS1_2_VERSION);
  if (names_server) SSL_set_tlsext_host_name(ssl_.get(), "billing.example.com");
  SSL_set_connect_state(ssl_.get());
  go_on();
}

void ClientSide::go_on() {
  if (ssl_ == nullptr || !socket_ || is_secure()) return;
  const OwnErrors errors;
  SSL_do_handshake(ssl_.get());
}

void ClientSide::read_away() {
  std::array<std::uint8_t, 4096> bytes{};
  const OwnErrors errors;
  while (socket_ && ssl_ != nullptr) {
    std::size_t size = 0;
    if (!is_secure() || SSL_read_ex(ssl_.get(), bytes.data(), bytes.size(), &size) != 1) return;
  }
  while (socket_ && ::recv(socket_.get(), bytes.data(), bytes.size(), 0) > 0) {
  }
}

void ClientSide::shut_down() {
  if (!socket_) return;
  const OwnErrors errors;
  if (is_secure()) SSL_shutdown(ssl_.get());
  ::shutdown(socket_.get(), SHUT_WR);
}

void ClientSide::close() {
  ssl_.reset();
  socket_ = {};
}

}  // namespace gatehouse::fuzz
