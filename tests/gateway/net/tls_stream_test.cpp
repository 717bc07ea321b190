// A stream with TLS: records of its client's that come in pieces, and what is written together.
#include "gateway/net/tls_stream.h"

#include <array>

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>
#include <openssl/ssl.h>

#include "gateway/net/tls_library.h"
#include "tests/gateway/net/key_files.h"
#include "tests/gateway/net/relay_fixture.h"

namespace gatehouse {
namespace {

// A server of its own.
struct Identity {
  TlsPointer<EVP_PKEY> key = make_key();
  TlsPointer<X509> certificate = make_certificate(key.get(), 24L * 60 * 60);
  TlsPointer<SSL_CTX> context{SSL_CTX_new(TLS_server_method())};

  Identity() {
    SSL_CTX_use_certificate(context.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), key.get());
  }
};

struct Fixture {
  asio::io_context context{1};
  Identity server;
  TlsPointer<SSL_CTX> client_context{SSL_CTX_new(TLS_client_method())};
  Side side{context};
  SslPointer client;

  Fixture() {
    SSL_CTX_set_read_ahead(server.context.get(), 1);
    SSL_CTX_set_num_tickets(server.context.get(), 0);
    client.reset(SSL_new(client_context.get()));
    BIO* received = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(received, -1);
    SSL_set_bio(client.get(), received, BIO_new(BIO_s_mem()));
    SSL_set_connect_state(client.get());
    shake_hands();
  }

  void shake_hands() {
    SslPointer ssl(SSL_new(server.context.get()));
    SSL_set_accept_state(ssl.get());
    bool is_done = false;
    asio::co_spawn(context, side.stream.handshake(std::move(ssl)),
                   [&is_done](const std::exception_ptr&, Io io) { is_done = io == Io::ok; });
    for (int turn = 0; turn < 10 && !is_done; ++turn) {
      SSL_do_handshake(client.get());
      send(take());
      context.poll();
      const std::size_t known = side.peer.received().size();
      side.peer.read(Stream::full_record);
      const auto came = std::span(side.peer.received()).subspan(known);
      BIO_write(SSL_get_rbio(client.get()), came.data(), static_cast<int>(came.size()));
    }
    REQUIRE(is_done);
  }

  // What the client has made and not sent yet.
  Bytes take() {
    Bytes bytes(BIO_ctrl_pending(SSL_get_wbio(client.get())));
    BIO_read(SSL_get_wbio(client.get()), bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }
  Bytes record_of(int size) {
    const Bytes bytes(static_cast<std::size_t>(size), 'x');
    REQUIRE(SSL_write(client.get(), bytes.data(), size) == size);
    return take();
  }
  void send(std::span<const std::uint8_t> bytes) const {
    REQUIRE(side.peer.write(bytes) == bytes.size());
  }
  Attempt read() {
    std::array<std::uint8_t, 1024> into{};
    return side.stream.try_read(into);
  }
};

TEST_CASE_METHOD(Fixture, "a record that has not come whole is waited for at the socket", "[tls]") {
  const auto record = record_of(100);
  send(std::span(record).first(50));
  CHECK(read().progress == Progress::want_read);
  CHECK_FALSE(side.stream.has_pending());
  send(std::span(record).subspan(50));
  CHECK(read().bytes == 100);
  CHECK_FALSE(side.stream.has_pending());
}

TEST_CASE_METHOD(Fixture, "what came behind a record is looked at without the socket", "[tls]") {
  const auto first = record_of(100);
  const auto second = record_of(200);
  send(first);
  send(std::span(second).first(60));
  CHECK(read().bytes == 100);
  CHECK(side.stream.has_pending());
  CHECK(read().progress == Progress::want_read);
  CHECK_FALSE(side.stream.has_pending());
  send(std::span(second).subspan(60));
  CHECK(read().bytes == 200);
  CHECK_FALSE(side.stream.has_pending());
}

TEST_CASE_METHOD(Fixture, "what is left of a record is pending", "[tls]") {
  send(record_of(1500));
  CHECK(read().bytes == 1024);
  CHECK(side.stream.has_pending());
  CHECK(read().bytes == 476);
  CHECK_FALSE(side.stream.has_pending());
}

TEST_CASE("what a server holds back is tickets, and nothing that a client waits for", "[tls]") {
#ifdef OPENSSL_IS_AWSLC
  constexpr bool holds_tickets = false;
#else
  constexpr bool holds_tickets = true;
#endif
  struct Case {
    const char* client_groups;
    int verifies;
    bool holds;  // once it has answered the first ClientHello
  };
  const auto c = GENERATE(Case{"X25519", SSL_VERIFY_NONE, holds_tickets},
                          Case{"P-384:X25519", SSL_VERIFY_NONE, false},  // asks for a second one
                          Case{"X25519", SSL_VERIFY_PEER, false});       // may have to refuse
  CAPTURE(c.client_groups, c.verifies);
  Identity identity;
  SSL_CTX_set1_groups_list(identity.context.get(), "X25519");
  SSL_CTX_set_verify(identity.context.get(), c.verifies, nullptr);
  const TlsPointer<SSL_CTX> client_context{SSL_CTX_new(TLS_client_method())};
  SSL_CTX_set1_groups_list(client_context.get(), c.client_groups);
  const SslPointer client(SSL_new(client_context.get()));
  const SslPointer server(SSL_new(identity.context.get()));
  SSL_set_connect_state(client.get());
  SSL_set_accept_state(server.get());
  BIO* one = nullptr;
  BIO* other = nullptr;
  BIO_new_bio_pair(&one, 0, &other, 0);
  SSL_set_bio(client.get(), one, one);
  SSL_set_bio(server.get(), other, other);
  SSL_do_handshake(client.get());
  CHECK_FALSE(tls_library::has_only_tickets_to_say(server.get()));
  SSL_do_handshake(server.get());
  CHECK(tls_library::has_only_tickets_to_say(server.get()) == c.holds);
}

}  // namespace
}  // namespace gatehouse
