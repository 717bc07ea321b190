#include "bench/tool/channel.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace gatehouse::bench {

namespace {

struct FreeAddresses {
  void operator()(addrinfo* addresses) const noexcept { ::freeaddrinfo(addresses); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Addresses resolve(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return nullptr;
  return Addresses(found);
}

void prepare(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval most{.tv_sec = Channel::deadline.count(), .tv_usec = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
}

// Where an SSL notes the ticket it was given last.
int place_of_ticket() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// Called when the other side has given a ticket. Returning 1 takes it over.
int keep_ticket(SSL* tls, SSL_SESSION* ticket) noexcept {
  static_cast<TlsSession*>(SSL_get_ex_data(tls, place_of_ticket()))->reset(ticket);
  return 1;
}

}  // namespace

TlsContext client_context() {
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) throw std::bad_alloc();
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  // Tickets are kept by whoever wants to resume.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), &keep_ticket);
  SSL_CTX_set_mode(context.get(), SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  return context;
}

bool Channel::connect(const Target& target, const std::string& source) {
  const Addresses address = resolve(target.host, target.port);
  if (address == nullptr) return fail(fmt::format("{} is not known", target.host));
  socket_ = Descriptor(::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket_) return fail(failure(errno));
  prepare(socket_.get());
  if (!source.empty()) {
    const int on = 1;  // so that a flood does not use up one port for each connection of the past
    ::setsockopt(socket_.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    const Addresses own = resolve(source, "0");
    if (own == nullptr || ::bind(socket_.get(), own->ai_addr, own->ai_addrlen) != 0) {
      return fail(fmt::format("cannot connect from {}", source));
    }
  }
  const int error =
      ::connect(socket_.get(), address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
  // It may have been reset already. Where nobody listens it is refused instead.
  is_connected_ = error == 0 || error == ECONNRESET;
  return error == 0 || fail(failure(error));
}

bool Channel::begin_tls(SSL_CTX& context, SSL_SESSION* resume) {
  if (!ahead_.empty()) return fail("it said something that was not asked for");
  tls_.reset(SSL_new(&context));
  if (tls_ == nullptr || SSL_set_fd(tls_.get(), socket_.get()) != 1 ||
      SSL_set_ex_data(tls_.get(), place_of_ticket(), &ticket_) != 1) {
    return fail("no memory");
  }
  if (resume != nullptr && SSL_set_session(tls_.get(), resume) != 1) return fail("no memory");
  const int result = SSL_connect(tls_.get());
  return result == 1 || fail_in_tls("TLS", result);
}

bool Channel::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    if (tls_ != nullptr) {
      const int written = SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
      if (written <= 0) return fail_in_tls("write", written);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else {
      const ssize_t written = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (written < 0) return fail(failure(errno));
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }
  return true;
}

bool Channel::read_exactly(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    if (!ahead_.empty()) {
      const std::size_t count = std::min(ahead_.size(), bytes.size());
      std::copy_n(ahead_.begin(), count, bytes.begin());
      ahead_ = ahead_.subspan(count);
      bytes = bytes.subspan(count);
    } else if (bytes.size() >= buffer_.size()) {
      const std::size_t got = read_some(bytes);
      if (got == 0) return false;
      bytes = bytes.subspan(got);
    } else {
      ahead_ = std::span(buffer_).first(read_some(buffer_));
      if (ahead_.empty()) return false;
    }
  }
  return true;
}

std::size_t Channel::read_some(std::span<std::uint8_t> bytes) {
  if (tls_ != nullptr) {
    const int got = SSL_read(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
    if (got > 0) return static_cast<std::size_t>(got);
    fail_in_tls("read", got);
  } else {
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (got > 0) return static_cast<std::size_t>(got);
    fail(failure(got == 0 ? 0 : errno));
  }
  return 0;
}

bool Channel::hears_within(std::chrono::milliseconds time) const {
  pollfd wanted{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&wanted, 1, static_cast<int>(time.count())) > 0;
}

bool Channel::read_to_end() {
  std::array<std::uint8_t, 4096> ignored{};
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), ignored.data(), ignored.size(), 0);
    if (got == 0 || (got < 0 && errno == ECONNRESET)) return true;
    if (got < 0) return fail(failure(errno));
  }
}

TlsSession Channel::take_session() noexcept {
  return std::move(ticket_);
}

bool Channel::was_resumed() const noexcept {
  return tls_ != nullptr && SSL_session_reused(tls_.get()) == 1;
}

void Channel::close() noexcept {
  if (tls_ != nullptr) SSL_shutdown(tls_.get());
  tls_.reset();
  socket_ = Descriptor();
}

std::string Channel::failure(int error) {
  is_late_ = error == EAGAIN || error == EINPROGRESS;
  if (is_late_) return "it did not answer in time";
  if (error == 0) return "it closed the connection";
  return std::generic_category().message(error);
}

bool Channel::fail(std::string why) {
  why_ = std::move(why);
  return false;
}

bool Channel::fail_in_tls(const char* what, int result) {
  const int error = errno;
  const int kind = SSL_get_error(tls_.get(), result);
  const auto first = ERR_get_error();
  ERR_clear_error();
  if (kind == SSL_ERROR_ZERO_RETURN) return fail("it closed the connection");
  if (kind == SSL_ERROR_SSL && first != 0) {
    return fail(fmt::format("{}: {}", what, ERR_reason_error_string(first)));
  }
  return fail(failure(kind == SSL_ERROR_SYSCALL ? error : EAGAIN));
}

}  // namespace gatehouse::bench
