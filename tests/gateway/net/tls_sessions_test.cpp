#include "gateway/net/tls_sessions.h"

#include <catch2/catch.hpp>
#include <openssl/ssl.h>

namespace gatehouse {
namespace {

SslSessionPointer make_session() {
#ifdef OPENSSL_IS_AWSLC
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  return SslSessionPointer(SSL_SESSION_new(context.get()));
#else
  return SslSessionPointer(SSL_SESSION_new());
#endif
}

TEST_CASE("a session is found by its peer, and by no other", "[tls]") {
  TlsSessions sessions(8);
  auto session = make_session();
  const auto* const kept = session.get();
  sessions.keep("10.2.0.4:9042", std::move(session));
  CHECK(sessions.find("10.2.0.4:9042").get() == kept);
  CHECK(sessions.find("10.2.0.4:9043") == nullptr);
}

TEST_CASE("a peer's new session takes the place of its last", "[tls]") {
  TlsSessions sessions(8);
  sessions.keep("one", make_session());
  auto next = make_session();
  const auto* const kept = next.get();
  sessions.keep("one", std::move(next));
  CHECK(sessions.find("one").get() == kept);
}

TEST_CASE("where there is no room for a session, the one kept longest ago goes", "[tls]") {
  TlsSessions sessions(2);
  sessions.keep("a", make_session());
  sessions.keep("b", make_session());
  sessions.keep("a", make_session());
  sessions.keep("c", make_session());
  CHECK(sessions.find("a") != nullptr);
  CHECK(sessions.find("b") == nullptr);
  CHECK(sessions.find("c") != nullptr);
}

}  // namespace
}  // namespace gatehouse
