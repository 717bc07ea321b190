// TLS handshakes in memory: what the gateway's side of each costs without a socket, beside a plain
// context of the library's own.
//
// Usage: handshake_bench CERTIFICATE KEY
#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "bench/processor.h"
#include "bench/stopwatch.h"
#include "gateway/net/tls_context.h"
#include "gateway/net/tls_files.h"
#include "gateway/net/tls_tickets.h"

namespace gatehouse {
namespace {

constexpr int handshakes = 2'000;
constexpr int turns_max = 10;

using MakeServer = std::function<SslPointer()>;

void connect(SSL* client, SSL* server) {
  BIO* one = nullptr;
  BIO* other = nullptr;
  BIO_new_bio_pair(&one, 0, &other, 0);
  SSL_set_bio(client, one, one);
  SSL_set_bio(server, other, other);
}

// OpenSSL takes a session of TLS 1.3 for used up when it was resumed once, and what it makes of
// that for the next ticket too.
TlsPointer<SSL_SESSION> copy_of(SSL_SESSION* session) {
  const int size = i2d_SSL_SESSION(session, nullptr);
  if (size <= 0) return nullptr;
  std::vector<unsigned char> der(static_cast<std::size_t>(size));
  unsigned char* to = der.data();
  i2d_SSL_SESSION(session, &to);
  const unsigned char* from = der.data();
  return TlsPointer<SSL_SESSION>(d2i_SSL_SESSION(nullptr, &from, size));
}

// The server's share of one handshake and one byte, from its making to its end. `session`: to be
// resumed where there is one; then that of this handshake. No value: there was none, or not that
// kind.
std::optional<double> handshake(const MakeServer& make_server, SSL_CTX* client_context,
                                TlsPointer<SSL_SESSION>& session) {
  Stopwatch watch;
  SslPointer server;
  watch.run([&] { server = make_server(); });
  const SslPointer client(SSL_new(client_context));
  const bool resumes = session != nullptr;
  if (resumes) SSL_set_session(client.get(), copy_of(session.get()).get());
  SSL_set_connect_state(client.get());
  SSL_set_app_data(client.get(), &session);
  connect(client.get(), server.get());
  bool client_is_done = false;
  bool server_is_done = false;
  for (int turn = 0; turn < turns_max && !(client_is_done && server_is_done); ++turn) {
    client_is_done = SSL_do_handshake(client.get()) == 1;
    watch.run([&] { server_is_done = SSL_do_handshake(server.get()) == 1; });
  }
  // AWS-LC sends the ticket in front of the first bytes.
  std::array<char, 1> byte{};
  watch.run([&] { SSL_write(server.get(), byte.data(), 1); });
  SSL_read(client.get(), byte.data(), 1);
  const bool is_right = server_is_done && (SSL_session_reused(client.get()) == 1) == resumes;
  watch.run([&] { server.reset(); });
  ERR_clear_error();
  return is_right ? std::optional(watch.microseconds()) : std::nullopt;
}

// The median. No value: one failed.
std::optional<double> measure(const MakeServer& make_server, SSL_CTX* client_context,
                              bool resumes) {
  TlsPointer<SSL_SESSION> session;
  if (resumes && !handshake(make_server, client_context, session)) return std::nullopt;
  std::vector<double> times;
  for (int number = 0; number < handshakes; ++number) {
    if (!resumes) session.reset();
    const auto time = handshake(make_server, client_context, session);
    if (!time) return std::nullopt;
    times.push_back(*time);
  }
  const auto middle = times.begin() + handshakes / 2;
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

// Called when a ticket comes. Returning 1 takes the session over.
int keep_session(SSL* ssl, SSL_SESSION* session) {
  static_cast<TlsPointer<SSL_SESSION>*>(SSL_get_app_data(ssl))->reset(session);
  return 1;
}

TlsPointer<SSL_CTX> make_client() {
  TlsPointer<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context.get(), "TLS_AES_128_GCM_SHA256");
  SSL_CTX_set1_groups_list(context.get(), "X25519");
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), &keep_session);
  return context;
}

TlsPointer<SSL_CTX> make_plain_server(const char* certificate, const char* key) {
  TlsPointer<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
  const bool good = SSL_CTX_use_certificate_chain_file(context.get(), certificate) == 1 &&
                    SSL_CTX_use_PrivateKey_file(context.get(), key, SSL_FILETYPE_PEM) == 1;
  return good ? std::move(context) : nullptr;
}

bool print(const char* name, const MakeServer& make_server) {
  const auto client = make_client();
  const auto full = measure(make_server, client.get(), false);
  const auto resumed = measure(make_server, client.get(), true);
  if (!full || !resumed) {
    fmt::print(stderr, "error: {}: a handshake failed, or was not resumed\n", name);
    return false;
  }
  std::printf("| %-24s | %8.1f | %11.1f |\n", name, *full, *resumed);
  return true;
}

bool run(const char* certificate, const char* key) {
  const auto plain = make_plain_server(certificate, key);
  config::Listener listener;
  listener.name = "bench";
  listener.tls.identity = {{certificate, {}}, {key, {}}};
  TicketKeys tickets;
  config::InputFiles inputs{"."};
  config::Diagnostics diagnostics;
  const auto gateway = ListenerTls::load(listener, tickets, inputs, diagnostics);
  if (plain == nullptr || gateway == nullptr) {
    fmt::print(stderr, "error: {} and {} are no identity\n", certificate, key);
    return false;
  }
  std::printf("%s, %s, medians of %d handshakes, the server's share\n\n",
              bench::processor().c_str(), OpenSSL_version(OPENSSL_VERSION), handshakes);
  std::puts("| TLS 1.3                  | full, us | resumed, us |");
  std::puts("|:-------------------------|---------:|------------:|");
  return print("a listener's", [&] { return gateway->accept(); }) &&
         print("the library's own", [&] {
           SslPointer ssl(SSL_new(plain.get()));
           SSL_set_accept_state(ssl.get());
           return ssl;
         });
}

}  // namespace
}  // namespace gatehouse

int main(int count, char** arguments) {
  if (count != 3) {
    fmt::print(stderr, "usage: handshake_bench CERTIFICATE KEY\n");
    return 2;
  }
  return gatehouse::run(arguments[1], arguments[2]) ? 0 : 1;
}
