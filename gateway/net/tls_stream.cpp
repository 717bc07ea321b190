#include "gateway/net/tls_stream.h"

#include <array>
#include <cerrno>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "gateway/net/descriptor.h"
#include "gateway/net/tls_library.h"
#include "gateway/net/would_block.h"

namespace gatehouse {

namespace {

constexpr auto as_result = asio::as_tuple(use_awaitable);

Attempt from_errno() noexcept {
  return {would_block() ? Progress::want_read : Progress::failed, 0};
}

std::string subject_of(const X509* certificate) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), &BIO_free);
  if (!text) return {};
  X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace

void FreeSsl::operator()(ssl_st* ssl) const noexcept {
  // Else OpenSSL would take a connection that ends without its last words for one that was broken
  // off, and its session, which the next one to this backend is to resume, for none to trust; TLS
  // has not asked for that since 1.1. After a fatal alert it is none all the same.
  SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl);
}

Awaitable<Io> Stream::wait(Socket::wait_type what) {
  if (aborted_) co_return Io::aborted;
  auto [error] = co_await socket_.async_wait(what, as_result);
  if (aborted_) co_return Io::aborted;
  co_return error ? Io::failed : Io::ok;
}

Awaitable<Io> Stream::connect(const asio::generic::stream_protocol::endpoint& endpoint) {
  if (aborted_) co_return Io::aborted;
  auto [error] = co_await socket_.async_connect(endpoint, as_result);
  if (aborted_) co_return Io::aborted;
  if (!error) error = register_anew(endpoint.protocol());
  connect_error_ = error;
  co_return error ? Io::failed : Io::ok;
}

boost::system::error_code Stream::register_anew(const asio::generic::stream_protocol& protocol) {
  boost::system::error_code error;
  Descriptor descriptor(socket_.release(error));
  if (error) {
    static_cast<void>(descriptor.release());  // the socket has it still
    return error;
  }
  socket_.assign(protocol, descriptor.get(), error);
  if (error) return error;
  static_cast<void>(descriptor.release());
  socket_.non_blocking(true, error);
  return error;
}

Awaitable<Io> Stream::after(Progress progress) {
  switch (progress) {
    case Progress::done:
      co_return Io::ok;
    case Progress::want_read:
      co_return co_await wait(Socket::wait_read);
    case Progress::want_write:
      co_return co_await wait(Socket::wait_write);
    case Progress::end:
      co_return Io::end;
    case Progress::failed:
      break;
  }
  co_return Io::failed;
}

Awaitable<Io> Stream::read_exactly(std::span<std::uint8_t> into) {
  while (!into.empty()) {
    if (aborted_) co_return Io::aborted;
    const Attempt attempt = try_read(into);
    into = into.subspan(attempt.bytes);
    if (attempt.progress == Progress::done) continue;
    if (const Io io = co_await after(attempt.progress); io != Io::ok) co_return io;
  }
  co_return Io::ok;
}

Awaitable<Io> Stream::write_all(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    if (aborted_) co_return Io::aborted;
    const Attempt attempt = try_write(bytes);
    bytes = bytes.subspan(attempt.bytes);
    if (attempt.progress == Progress::done) continue;
    if (const Io io = co_await after(attempt.progress); io != Io::ok) co_return io;
  }
  co_return Io::ok;
}

Awaitable<Io> Stream::handshake(SslPointer ssl) {
  if (!ssl) co_return Io::failed;
  bio_.socket = socket_.native_handle();
  bio_.attach(ssl.get());
  ssl_ = std::move(ssl);
  co_return co_await continue_handshake();
}

Awaitable<Io> Stream::continue_handshake() {
  for (;;) {
    if (aborted_) co_return Io::aborted;
    if (!ssl_ || tls_broken_) co_return Io::failed;
    ERR_clear_error();
    bio_.more_follows = tls_library::has_only_tickets_to_say(ssl_.get());
    const Attempt attempt = ssl_result(SSL_do_handshake(ssl_.get()), 0);
    const Io io = co_await after(attempt.progress);
    if (io != Io::ok || attempt.progress == Progress::done) co_return io;
  }
}

Awaitable<void> Stream::close_gently() {
  send_close_notify();
  ::shutdown(socket_.native_handle(), SHUT_WR);
  std::array<std::uint8_t, 4096> discarded{};
  // What comes now is thrown away, so TLS need not see it. A wait for each read: a peer that floods
  // has its turn and no more, and the caller's deadline can end this.
  while (co_await wait(Socket::wait_read) == Io::ok) {
    const auto size =
        ::recv(socket_.native_handle(), discarded.data(), discarded.size(), MSG_DONTWAIT);
    if (size == 0 || (size < 0 && from_errno().progress == Progress::failed)) co_return;
  }
}

Attempt Stream::try_read(std::span<std::uint8_t> into) noexcept {
  if (ssl_) {
    if (tls_broken_) return {Progress::failed, 0};
    ERR_clear_error();
    std::size_t bytes = 0;
    bio_.more_follows = false;  // whatever TLS answers by itself
    const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &bytes);
    const Attempt attempt = ssl_result(result, bytes);
    is_starved_ = attempt.progress == Progress::want_read;
    return attempt;
  }
  const auto size = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
  if (size > 0) return {Progress::done, static_cast<std::size_t>(size)};
  return size == 0 ? Attempt{Progress::end, 0} : from_errno();
}

Attempt Stream::try_write(std::span<const std::uint8_t> bytes) noexcept {
  if (ssl_) {
    if (tls_broken_) return {Progress::failed, 0};
    ERR_clear_error();
    std::size_t written = 0;
    bio_.more_follows = bytes.size() > full_record;
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
    return ssl_result(result, written);
  }
  const auto size =
      ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size >= 0) return {Progress::done, static_cast<std::size_t>(size)};
  const Attempt attempt = from_errno();
  return attempt.progress == Progress::want_read ? Attempt{Progress::want_write, 0} : attempt;
}

bool Stream::has_pending() const noexcept {
  return ssl_ && !is_starved_ && SSL_has_pending(ssl_.get()) == 1;
}

void Stream::end_both_ways() noexcept {
  ::shutdown(socket_.native_handle(), SHUT_RDWR);
}

void Stream::abort() noexcept {
  aborted_ = true;
  boost::system::error_code ignored;
  if (socket_.is_open()) socket_.cancel(ignored);
}

void Stream::close() noexcept {
  send_close_notify();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void Stream::reset() noexcept {
  boost::system::error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

TlsFacts Stream::tls_facts() const {
  TlsFacts facts;
  facts.version = SSL_get_version(ssl_.get());
  facts.cipher = SSL_get_cipher_name(ssl_.get());
  if (const char* sni = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name)) facts.sni = sni;
  facts.resumed = SSL_session_reused(ssl_.get()) == 1;
  if (tls_library::verification_of(ssl_.get()) == X509_V_OK) {
    if (const X509* certificate = SSL_get0_peer_certificate(ssl_.get())) {
      facts.client_subject = subject_of(certificate);
    }
  }
  return facts;
}

Attempt Stream::ssl_result(int result, std::size_t bytes) noexcept {
  if (result == 1) return {Progress::done, bytes};
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {Progress::want_read, 0};
    case SSL_ERROR_WANT_WRITE:
      return {Progress::want_write, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {Progress::end, 0};
    case SSL_ERROR_SYSCALL:
      // The peer went away. Nothing more may be asked of this SSL, a shutdown neither.
      tls_broken_ = true;
      return {errno == 0 ? Progress::end : Progress::failed, 0};
    default:
      tls_broken_ = true;
      remember_tls_error();
      return {Progress::failed, 0};
  }
}

void Stream::remember_tls_error() noexcept {
  const auto code = ERR_peek_last_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  if (reason != nullptr) tls_error_ = reason;
  const long verified = tls_library::verification_of(ssl_.get());
  if (verified != X509_V_OK) {
    peer_was_untrusted_ = true;
    tls_error_ = tls_library::text_of(verified);
  }
  ERR_clear_error();
}

void Stream::send_close_notify() noexcept {
  if (!ssl_ || tls_broken_ || SSL_in_init(ssl_.get()) == 1) return;
  ERR_clear_error();
  bio_.more_follows = true;  // the FIN
  SSL_shutdown(ssl_.get());  // Once: 0 means "sent". The peer's answer is not waited for.
  ERR_clear_error();
}

namespace {

Awaitable<Io> wait_readable(Stream& stream) {
  co_return co_await stream.wait(Socket::wait_read);
}

}  // namespace

Awaitable<Ready> wait_for_either(Stream& one, Stream& other) {
  using namespace asio::experimental::awaitable_operators;  // NOLINT(google-build-using-namespace)
  if (one.has_pending() || other.has_pending()) co_return Ready{Io::ok, one.has_pending()};
  const auto ready = co_await (wait_readable(one) || wait_readable(other));
  co_return Ready{std::visit([](Io io) { return io; }, ready), ready.index() == 0};
}

}  // namespace gatehouse
