#include "gateway/net/tls_context.h"

#include <algorithm>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "gateway/assert.h"
#include "gateway/limits.h"
#include "gateway/net/tls_files.h"
#include "gateway/net/tls_library.h"
#include "gateway/net/tls_names.h"
#include "gateway/net/tls_tickets.h"

namespace gatehouse {

namespace {

// X25519 first: the cheapest group both sides have. P-256 for clients that are bound to NIST
// curves.
constexpr const char* groups_for_clients = "X25519:P-256";
// In TLS 1.2 a server may show no certificate with a key on a curve that is not among them.
constexpr const char* groups_for_backends = "X25519:P-256:P-384:P-521";
// What clients of TLS 1.2 may use: with an RSA key OpenSSL would also offer exchanges of keys
// without forward secrecy. Those with CBC are for clients that have no others.
constexpr const char* ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES";

int place_of_owner() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}
// Where an SSL towards a backend notes which one that is, in a string of its own.
int place_of_backend() {
  constexpr auto free_text = [](void*, void* text, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<std::string*>(text);
  };
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_text);
  return index;
}

// Of calls that OpenSSL refuses for want of memory only.
void need(long result) {
  if (result != 1) throw std::bad_alloc();
}

SslContextPointer make_context(const SSL_METHOD* method, config::TlsVersion minimum,
                               const char* groups) {
  SslContextPointer context(SSL_CTX_new(method));
  if (!context) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(
      context.get(), minimum == config::TlsVersion::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  // A missing close_notify is no error: both protocols delimit themselves, and most clients send
  // none.
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Idle sessions hold no record buffers; a write may go on from another address after a short one.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Else each record takes two reads of the socket, one of them for five bytes.
  SSL_CTX_set_read_ahead(context.get(), 1);
  need(SSL_CTX_set1_groups_list(context.get(), groups));
  tls_library::demand_strength(context.get());
  return context;
}

void forget_tickets(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
}

// Tickets are valid for one listener and one name: in another session id context none is opened.
// OpenSSL itself would resume under a name that the session was not made for, which RFC 6066
// forbids.
bool bind_tickets(SSL* ssl, std::span<const std::uint8_t, SHA256_DIGEST_LENGTH> listener,
                  std::string_view name) noexcept {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH + TLSEXT_MAXLEN_host_name> text{};
  GATEHOUSE_ASSERT(name.size() <= TLSEXT_MAXLEN_host_name);
  std::copy(name.begin(), name.end(), std::copy(listener.begin(), listener.end(), text.begin()));
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(text.data(), listener.size() + name.size(), digest.data());
  static_assert(SHA256_DIGEST_LENGTH <= SSL_MAX_SID_CTX_LENGTH);
  return SSL_set_session_id_context(ssl, digest.data(), digest.size()) == 1;
}

bool require_client_certificates(SSL_CTX* context, TlsFiles& files,
                                 const config::ListenerTls& tls) {
  bool good = files.trust(context, *tls.client_ca, /*announce=*/true);
  if (tls.client_crl) good = files.use_revocations(context, *tls.client_crl) && good;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return good;
}

// An SSL that goes over to another context keeps its settings, but not what these are about.
void share_trust(const SSL_CTX* from, SSL_CTX* to) {
  SSL_CTX_set1_cert_store(to, SSL_CTX_get_cert_store(from));
  SSL_CTX_set_client_CA_list(to, SSL_dup_CA_list(SSL_CTX_get_client_CA_list(from)));
}

// Puts the certificate of `from` beside those of `to`, unless that has one of its type of key.
bool join(SSL_CTX* to, SSL_CTX* from) {
  const bool joined =
      SSL_CTX_use_cert_and_key(to, SSL_CTX_get0_certificate(from), SSL_CTX_get0_privatekey(from),
                               tls_library::chain_of(from), /*override=*/0) == 1;
  ERR_clear_error();
  return joined;
}

std::string sha256_of(const X509* certificate) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  unsigned int size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

// In place of the verification of a chain: the certificate is the one pinned, or nothing is.
int verify_pin(X509_STORE_CTX* store, void* pinned) {
  const X509* certificate = X509_STORE_CTX_get0_cert(store);
  const auto* wanted = static_cast<const std::string*>(pinned);
  if (certificate != nullptr && sha256_of(certificate) == *wanted) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
  return 0;
}

bool is_address(const std::string& host) {
  return rules::IpAddress::parse(host).has_value();
}

// The name a backend's certificate must have: the one configured, else the backend's own host.
std::string expected_name(const config::Server& server, const config::BackendPlace& place) {
  if (!server.tls.name.empty()) return server.tls.name;
  const auto* tcp = std::get_if<config::TcpBackend>(&place);
  return tcp != nullptr ? tcp->host : "localhost";
}

// No two places have the same.
std::string text_of(const config::BackendPlace& place) {
  const auto* tcp = std::get_if<config::TcpBackend>(&place);
  return tcp != nullptr ? fmt::format("{}:{}", tcp->host, tcp->port)
                        : std::get<config::UnixBackend>(place).path.string();
}

// What a backend's certificate is judged by, besides its chain.
bool expect_name(SSL* ssl, const std::string& name) noexcept {
  if (is_address(name)) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1;
  }
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, name.c_str()) == 1 && tls_library::ask_for(ssl, name.c_str());
}

}  // namespace

void FreeSslContext::operator()(ssl_ctx_st* context) const noexcept {
  SSL_CTX_free(context);
}

std::shared_ptr<const ListenerTls> ListenerTls::load(const config::Listener& listener,
                                                     TicketKeys& tickets,
                                                     config::InputFiles& inputs,
                                                     config::Diagnostics& diagnostics) {
  TlsFiles files(inputs, diagnostics);
  const config::ListenerTls& tls = listener.tls;
  auto result = std::make_shared<ListenerTls>();
  SHA256(reinterpret_cast<const unsigned char*>(listener.name.data()), listener.name.size(),
         result->listener_.data());
  // A resumed session would skip the verification of the client's certificate, and its revocation.
  result->gives_tickets_ = !tls.client_ca;

  SslContextPointer context = result->make_context(tls.minimum_version, tickets);
  const auto expires = files.use_key_pair(context.get(), tls.identity);
  bool good = expires.has_value();
  result->expires_ = expires.value_or(SystemTime{});
  result->contexts_.push_back(std::move(context));
  for (const config::KeyPair& identity : tls.more) {
    context = result->make_context(tls.minimum_version, tickets);
    const auto ends = files.use_key_pair(context.get(), identity);
    good = ends && good;
    if (!good) continue;
    result->expires_ = std::min(result->expires_, *ends);
    result->add(std::move(context), identity, diagnostics);
  }
  if (tls.client_ca) {
    SSL_CTX* first = result->contexts_.front().get();
    good = require_client_certificates(first, files, tls) && good;
    for (const auto& other : result->contexts_) share_trust(first, other.get());
  }
  return good ? result : nullptr;
}

SslContextPointer ListenerTls::make_context(config::TlsVersion minimum, TicketKeys& tickets) {
  SslContextPointer context =
      gatehouse::make_context(TLS_server_method(), minimum, groups_for_clients);
  need(SSL_CTX_set_cipher_list(context.get(), ciphers));
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  if (gives_tickets_) {
    SSL_CTX_set_num_tickets(context.get(), 1);
    tickets.attach(context.get());
  } else {
    forget_tickets(context.get());
  }
  SSL_CTX_set_client_hello_cb(context.get(), &ListenerTls::greet, this);
  return context;
}

void ListenerTls::add(SslContextPointer context, const config::KeyPair& identity,
                      config::Diagnostics& diagnostics) {
  const config::FileReference& file = identity.certificate;
  const auto names = names_of(SSL_CTX_get0_certificate(context.get()));
  for (const SslContextPointer& other : contexts_) {
    if (names_of(SSL_CTX_get0_certificate(other.get())) != names) continue;
    if (!join(other.get(), context.get())) {
      diagnostics.warning(file.at, fmt::format("certificate {} is never shown", file.path.string()),
                          "one before it has the same names and a key of the same type");
    }
    return;
  }
  if (!holds_host_name(names)) {
    diagnostics.warning(file.at, fmt::format("certificate {} is never shown", file.path.string()),
                        "it has no DNS name, by which a client could ask for it");
  }
  contexts_.push_back(std::move(context));
}

SSL_CTX* ListenerTls::choose(std::string_view name) const noexcept {
  SSL_CTX* by_wildcard = nullptr;
  for (const SslContextPointer& context : contexts_) {
    const NameMatch fits = match(SSL_CTX_get0_certificate(context.get()), name);
    if (fits == NameMatch::exact) return context.get();
    if (fits == NameMatch::wildcard && by_wildcard == nullptr) by_wildcard = context.get();
  }
  return by_wildcard != nullptr ? by_wildcard : contexts_.front().get();
}

// OpenSSL's callback for a ClientHello, before it looks for a session to resume. The name is the
// client's, so nothing is decided by it but what the client is shown.
int ListenerTls::greet(SSL* ssl, int* alert, void* self) noexcept {
  const auto& tls = *static_cast<const ListenerTls*>(self);
  const std::string_view name = requested_name(ssl);
  bool good = true;
  if (tls.contexts_.size() > 1) good = SSL_set_SSL_CTX(ssl, tls.choose(name)) != nullptr;
  if (tls.gives_tickets_) good = bind_tickets(ssl, tls.listener_, name) && good;
  ERR_clear_error();
  if (good) return SSL_CLIENT_HELLO_SUCCESS;
  *alert = SSL_AD_INTERNAL_ERROR;
  return SSL_CLIENT_HELLO_ERROR;
}

SslPointer ListenerTls::accept() const noexcept {
  SslPointer ssl(SSL_new(contexts_.front().get()));
  if (!ssl) return nullptr;
  SSL_set_accept_state(ssl.get());
  tls_library::slim_after_handshake(ssl.get());
  return ssl;
}

BackendTls::BackendTls() : sessions_(limits::tls_sessions_per_server) {}

std::shared_ptr<BackendTls> BackendTls::load(const config::Server& server,
                                             config::InputFiles& inputs,
                                             config::Diagnostics& diagnostics) {
  TlsFiles files(inputs, diagnostics);
  const std::shared_ptr<BackendTls> result(new BackendTls);
  result->context_ =
      make_context(TLS_client_method(), config::TlsVersion::v1_2, groups_for_backends);
  SSL_CTX* context = result->context_.get();
  bool good = true;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (server.tls.mode == config::BackendTlsMode::pin) {
    result->pinned_ = server.tls.sha256;
    SSL_CTX_set_cert_verify_callback(context, &verify_pin, &result->pinned_);
  } else if (server.tls.ca) {
    good = files.trust(context, *server.tls.ca, /*announce=*/false);
  } else {
    SSL_CTX_set_default_verify_paths(context);
  }
  if (server.tls.identity)
    good = files.use_key_pair(context, *server.tls.identity).has_value() && good;
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  need(SSL_CTX_set_ex_data(context, place_of_owner(), result.get()));
  SSL_CTX_sess_set_new_cb(context, &BackendTls::keep_session);
  ERR_clear_error();
  return good ? result : nullptr;
}

SslPointer BackendTls::connect(const config::Server& server, const config::BackendPlace& place) {
  SslPointer ssl(SSL_new(context_.get()));
  if (!ssl) return nullptr;
  SSL_set_connect_state(ssl.get());
  tls_library::slim_after_handshake(ssl.get());
  if (pinned_.empty() && !expect_name(ssl.get(), expected_name(server, place))) return nullptr;
  auto text = std::make_unique<std::string>(text_of(place));
  resume(ssl.get(), *text);
  if (SSL_set_ex_data(ssl.get(), place_of_backend(), text.get()) == 1) {
    // NOLINTNEXTLINE(bugprone-unused-return-value): the connection owns it now
    static_cast<void>(text.release());
  }
  return ssl;
}

// Called by OpenSSL when a backend has sent a ticket. Returning 1 takes the session over.
int BackendTls::keep_session(ssl_st* ssl, ssl_session_st* session) noexcept {
  auto* self =
      static_cast<BackendTls*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), place_of_owner()));
  const auto* place = static_cast<std::string*>(SSL_get_ex_data(ssl, place_of_backend()));
  if (place == nullptr) return 0;
  SslSessionPointer taken(session);
  try {
    const std::lock_guard lock(self->mutex_);
    self->sessions_.keep(*place, std::move(taken));
  } catch (const std::bad_alloc&) {
    return 1;  // it is freed already, and the next handshake is a whole one
  }
  return 1;
}

void BackendTls::resume(ssl_st* ssl, const std::string& place) noexcept {
  SslSessionPointer session;
  {
    const std::lock_guard lock(mutex_);
    session = sessions_.find(place);
  }
  if (session == nullptr) return;
  // A resumed session is not verified again: it must not outlive the certificate it was made with.
  const X509* peer = SSL_SESSION_get0_peer(session.get());
  if (peer != nullptr && X509_cmp_current_time(X509_get0_notAfter(peer)) > 0)
    SSL_set_session(ssl, session.get());
}

}  // namespace gatehouse
