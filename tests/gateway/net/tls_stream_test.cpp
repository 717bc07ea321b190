// A stream with TLS whose client's records come in pieces.
#include "gateway/net/tls_stream.h"

#include <array>
#include <memory>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "tests/gateway/net/key_files.h"

namespace gatehouse {
namespace {

struct Fixture {
  asio::io_context context{1};
  TlsPointer<EVP_PKEY> key = make_key();
  TlsPointer<X509> certificate = make_certificate(key.get(), 24L * 60 * 60);
  TlsPointer<SSL_CTX> server_context{SSL_CTX_new(TLS_server_method())};
  TlsPointer<SSL_CTX> client_context{SSL_CTX_new(TLS_client_method())};
  std::unique_ptr<Stream> stream;
  SslPointer client;
  int far = -1;

  Fixture() {
    SSL_CTX_use_certificate(server_context.get(), certificate.get());
    SSL_CTX_use_PrivateKey(server_context.get(), key.get());
    SSL_CTX_set_read_ahead(server_context.get(), 1);
    SSL_CTX_set_num_tickets(server_context.get(), 0);
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
    stream = std::make_unique<Stream>(
        Socket(context, asio::generic::stream_protocol(AF_UNIX, 0), ends[0]));
    far = ends[1];
    client.reset(SSL_new(client_context.get()));
    BIO* received = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(received, -1);
    SSL_set_bio(client.get(), received, BIO_new(BIO_s_mem()));
    SSL_set_connect_state(client.get());
    shake_hands();
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() { ::close(far); }

  void shake_hands() {
    SslPointer server(SSL_new(server_context.get()));
    SSL_set_accept_state(server.get());
    bool is_done = false;
    asio::co_spawn(context, stream->handshake(std::move(server)),
                   [&is_done](const std::exception_ptr&, Io io) { is_done = io == Io::ok; });
    for (int turn = 0; turn < 10 && !is_done; ++turn) {
      SSL_do_handshake(client.get());
      send(take());
      context.poll();
      std::array<std::uint8_t, 16384> bytes{};
      const auto size = ::recv(far, bytes.data(), bytes.size(), 0);
      if (size > 0) BIO_write(SSL_get_rbio(client.get()), bytes.data(), static_cast<int>(size));
    }
    REQUIRE(is_done);
  }

  // What the client has made and not sent yet.
  std::vector<std::uint8_t> take() {
    std::vector<std::uint8_t> bytes(BIO_ctrl_pending(SSL_get_wbio(client.get())));
    BIO_read(SSL_get_wbio(client.get()), bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }
  std::vector<std::uint8_t> record_of(int size) {
    const std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size), 'x');
    REQUIRE(SSL_write(client.get(), bytes.data(), size) == size);
    return take();
  }
  void send(std::span<const std::uint8_t> bytes) const {
    REQUIRE(::send(far, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }
  Attempt read() {
    std::array<std::uint8_t, 1024> into{};
    return stream->try_read(into);
  }
};

TEST_CASE_METHOD(Fixture, "a record that has not come whole is waited for at the socket", "[tls]") {
  const auto record = record_of(100);
  send(std::span(record).first(50));
  CHECK(read().progress == Progress::want_read);
  CHECK_FALSE(stream->has_pending());
  send(std::span(record).subspan(50));
  CHECK(read().bytes == 100);
  CHECK_FALSE(stream->has_pending());
}

TEST_CASE_METHOD(Fixture, "what came behind a record is looked at without the socket", "[tls]") {
  const auto first = record_of(100);
  const auto second = record_of(200);
  send(first);
  send(std::span(second).first(60));
  CHECK(read().bytes == 100);
  CHECK(stream->has_pending());
  CHECK(read().progress == Progress::want_read);
  CHECK_FALSE(stream->has_pending());
  send(std::span(second).subspan(60));
  CHECK(read().bytes == 200);
  CHECK_FALSE(stream->has_pending());
}

TEST_CASE_METHOD(Fixture, "what is left of a record is pending", "[tls]") {
  send(record_of(1500));
  CHECK(read().bytes == 1024);
  CHECK(stream->has_pending());
  CHECK(read().bytes == 476);
  CHECK_FALSE(stream->has_pending());
}

}  // namespace
}  // namespace gatehouse
