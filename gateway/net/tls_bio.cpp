#include "gateway/net/tls_bio.h"

#include <cerrno>
#include <cstddef>
#include <new>

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "gateway/net/would_block.h"

namespace gatehouse {

namespace {

TlsBio& state_of(BIO* bio) noexcept {
  return *static_cast<TlsBio*>(BIO_get_data(bio));
}

int read(BIO* bio, char* into, int size) noexcept {
  TlsBio& state = state_of(bio);
  BIO_clear_retry_flags(bio);
  errno = 0;  // an end is told from a failure by it
  const auto bytes = ::recv(state.socket, into, static_cast<std::size_t>(size), MSG_DONTWAIT);
  if (bytes < 0 && would_block()) BIO_set_retry_read(bio);
  if (bytes == 0) state.has_ended = true;
  return static_cast<int>(bytes);
}

int write(BIO* bio, const char* from, int size) noexcept {
  const TlsBio& state = state_of(bio);
  BIO_clear_retry_flags(bio);
  errno = 0;
  const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (state.more_follows ? MSG_MORE : 0);
  const auto bytes = ::send(state.socket, from, static_cast<std::size_t>(size), flags);
  if (bytes < 0 && would_block()) BIO_set_retry_write(bio);
  return static_cast<int>(bytes);
}

long control(BIO* bio, int command, long /*number*/, void* /*pointer*/) noexcept {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;  // nothing is held back here
    case BIO_CTRL_EOF:
      return state_of(bio).has_ended ? 1 : 0;
    default:
      return 0;
  }
}

const BIO_METHOD* method() {
  static const BIO_METHOD* const made = [] {
    BIO_METHOD* blank = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (blank == nullptr) throw std::bad_alloc();  // the next one tries again
    BIO_meth_set_read(blank, read);
    BIO_meth_set_write(blank, write);
    BIO_meth_set_ctrl(blank, control);
    return blank;
  }();
  return made;
}

}  // namespace

void TlsBio::attach(ssl_st* ssl) {
  BIO* bio = BIO_new(method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
}

}  // namespace gatehouse
