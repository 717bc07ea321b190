// Handshakes in memory with a server's backends, as a cluster's nodes are reached.
#include <array>
#include <memory>
#include <string>

#include <catch2/catch.hpp>
#include <openssl/err.h>

#include "gateway/net/tls_context.h"
#include "tests/gateway/net/handshake_in_memory.h"
#include "tests/gateway/net/key_files.h"
#include "tests/gateway/observe/scratch.h"

namespace gatehouse {
namespace {

constexpr long day = 24L * 60 * 60;

config::BackendPlace at(const std::string& host, std::uint16_t port = 9042) {
  return config::TcpBackend{.host = host, .port = port};
}

struct Fixture {
  ScratchFolder folder;
  config::Server server;
  TlsPointer<EVP_PKEY> key = make_key();
  TlsPointer<X509> certificate =
      make_certificate(key.get(), 90 * day, "IP:10.2.0.4,IP:fd00::5,DNS:node.test");
  TlsPointer<SSL_CTX> node{SSL_CTX_new(TLS_server_method())};
  std::shared_ptr<BackendTls> tls;

  Fixture() {
    write_text(folder / "ca.pem", to_pem(certificate.get()));
    server.tls.ca = config::FileReference{folder / "ca.pem", {"gateway.yaml", 1, 1}};
    SSL_CTX_use_certificate(node.get(), certificate.get());
    SSL_CTX_use_PrivateKey(node.get(), key.get());
    load();
  }

  void load() {
    config::InputFiles inputs{folder / ""};
    config::Diagnostics diagnostics;
    tls = BackendTls::load(server, inputs, diagnostics);
    REQUIRE(tls);
  }

  struct Result {
    bool is_done = false;
    bool is_resumed = false;
  };
  Result connect(const config::BackendPlace& place) {
    const SslPointer client = tls->connect(server, place);
    const SslPointer far(SSL_new(node.get()));
    SSL_set_accept_state(far.get());
    const bool is_done = shake_hands(client.get(), far.get()).client_is_done;
    std::array<char, 1> nothing{};
    if (is_done) SSL_write(far.get(), "", 1);   // tickets may come with the first bytes only
    SSL_read(client.get(), nothing.data(), 1);  // takes the ticket
    // As a session ends whose client has left: without a last word to the backend.
    ERR_clear_error();
    return {.is_done = is_done, .is_resumed = SSL_session_reused(client.get()) == 1};
  }
};

TEST_CASE_METHOD(Fixture, "a node is known by its address, whether configured or not", "[tls]") {
  CHECK(connect(at("10.2.0.4")).is_done);
  CHECK(connect(at("fd00::5")).is_done);
  CHECK(connect(at("node.test")).is_done);
  CHECK_FALSE(connect(at("10.2.0.6")).is_done);
  CHECK_FALSE(connect(at("other.test")).is_done);
}

TEST_CASE_METHOD(Fixture, "a name in the configuration stands for every node", "[tls]") {
  server.tls.name = "node.test";
  load();
  CHECK(connect(at("10.2.0.6")).is_done);
  server.tls.name = "other.test";
  load();
  CHECK_FALSE(connect(at("10.2.0.4")).is_done);
}

TEST_CASE_METHOD(Fixture, "a session is resumed at its own place alone", "[tls]") {
  CHECK_FALSE(connect(at("10.2.0.4")).is_resumed);
  CHECK(connect(at("10.2.0.4")).is_resumed);
  CHECK_FALSE(connect(at("10.2.0.4", 9043)).is_resumed);
  CHECK_FALSE(connect(at("node.test")).is_resumed);
  // The chain of another place's session would pass, and its name was never looked at.
  CHECK_FALSE(connect(at("10.2.0.6")).is_done);
}

}  // namespace
}  // namespace gatehouse
