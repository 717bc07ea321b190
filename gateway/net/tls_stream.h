// One side of a session: a socket, and TLS on it once it has begun.
//
// SSL works on the socket's own descriptor and is woken by readiness, not fed through memory BIOs:
// half the copies and a fifth of the memory. Everything here runs on the worker that owns the
// socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/net/asio.h"
#include "gateway/net/tls_bio.h"

struct ssl_st;

namespace gatehouse {

struct FreeSsl {
  void operator()(ssl_st* ssl) const noexcept;
};
using SslPointer = std::unique_ptr<ssl_st, FreeSsl>;

// What one attempt to move bytes came to, without waiting.
enum class Progress {
  done,        // `bytes` moved
  want_read,   // wait until the socket is readable, then try again
  want_write,  // wait until it is writable
  end,         // the peer has closed, orderly or without a TLS close_notify
  failed,
};
struct Attempt {
  Progress progress = Progress::failed;
  std::size_t bytes = 0;
};

// How an awaited operation ended.
enum class Io {
  ok,
  end,      // the peer closed; for an exact read also in the middle of it
  failed,   // reset, or a TLS error
  aborted,  // by abort()
};

// What the audit says of a TLS connection.
struct TlsFacts {
  std::string_view version;  // a constant of the library's
  std::string_view cipher;   // likewise
  std::string sni;
  std::string client_subject;  // of a verified client certificate
  bool resumed = false;
};

class Stream {
 public:
  static constexpr std::size_t full_record = 16384;  // the most that one carries (RFC 8446 5.1)

  explicit Stream(Socket socket) noexcept : socket_(std::move(socket)) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // --- awaited
  // -------------------------------------------------------------------------------------
  Awaitable<Io> wait(Socket::wait_type what);
  // Why it failed stands in connect_error().
  Awaitable<Io> connect(const asio::generic::stream_protocol::endpoint& endpoint);
  [[nodiscard]] const boost::system::error_code& connect_error() const noexcept {
    return connect_error_;
  }
  Awaitable<Io> read_exactly(std::span<std::uint8_t> into);
  Awaitable<Io> write_all(std::span<const std::uint8_t> bytes);
  // Begins TLS, as the side that `ssl` was made for. Bytes the peer sent since the last read go to
  // TLS.
  Awaitable<Io> handshake(SslPointer ssl);
  // Goes on with a handshake that was aborted; done already: ok at once. One that was never begun,
  // or has failed, stays failed.
  Awaitable<Io> continue_handshake();
  // Tells the peer that nothing more comes (close_notify, FIN), reads away what it still sends so
  // that a reset does not take our last bytes with it, and returns when it closes too, or when
  // aborted.
  Awaitable<void> close_gently();

  // --- at once
  // -------------------------------------------------------------------------------------
  Attempt try_read(std::span<std::uint8_t> into) noexcept;
  Attempt try_write(std::span<const std::uint8_t> bytes) noexcept;
  // Bytes that TLS has taken off the socket already, perhaps enough for a read: readiness would not
  // tell of them.
  [[nodiscard]] bool has_pending() const noexcept;

  // Nothing more is sent, and what has not come by now does not come: readers see it to its end.
  void end_both_ways() noexcept;
  // Ends every operation under way and to come with Io::aborted. Nothing is sent.
  void abort() noexcept;
  [[nodiscard]] bool aborted() const noexcept { return aborted_; }
  // Lets operations be begun again after an abort.
  void resume() noexcept { aborted_ = false; }
  // close_notify if TLS is healthy, then the socket. No operation may be under way.
  void close() noexcept;
  // Closes with a reset: whatever was still to be sent is dropped.
  void reset() noexcept;

  [[nodiscard]] Socket& socket() noexcept { return socket_; }
  [[nodiscard]] bool is_tls() const noexcept { return ssl_ != nullptr; }
  // REQUIRES: is_tls(), and the handshake is done.
  [[nodiscard]] TlsFacts tls_facts() const;
  // Why the last handshake failed, for the log: OpenSSL's words.
  [[nodiscard]] std::string_view tls_error() const noexcept { return tls_error_; }
  // The peer's certificate was what stopped the handshake.
  [[nodiscard]] bool peer_was_untrusted() const noexcept { return peer_was_untrusted_; }

 private:
  // Behind a connect that took its time Asio asks the kernel for room to write ever after, and each
  // wait for something to read wakes for that once in vain.
  boost::system::error_code register_anew(const asio::generic::stream_protocol& protocol);
  // What an attempt that did not move everything comes to: waits where waiting helps.
  Awaitable<Io> after(Progress progress);
  Attempt ssl_result(int result, std::size_t bytes) noexcept;
  void remember_tls_error() noexcept;
  void send_close_notify() noexcept;

  Socket socket_;
  TlsBio bio_;
  SslPointer ssl_;
  boost::system::error_code connect_error_;
  bool aborted_ = false;
  bool tls_broken_ = false;  // after a fatal TLS error nothing more may be asked of it
  bool peer_was_untrusted_ = false;
  bool is_starved_ = false;     // what TLS has taken off the socket is not enough for the next read
  std::string_view tls_error_;  // a constant of OpenSSL's
};

// Which of two streams can be read. `first` means something only where `io` is ok.
struct Ready {
  Io io = Io::failed;
  bool first = false;
};
// Used where either peer may be the next to speak.
Awaitable<Ready> wait_for_either(Stream& one, Stream& other);

}  // namespace gatehouse
