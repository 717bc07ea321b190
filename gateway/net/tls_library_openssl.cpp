#include <array>

#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include "gateway/net/tls_library.h"

namespace gatehouse::tls_library {

const char* version() noexcept {
  return OpenSSL_version(OPENSSL_VERSION);
}

void set_ticket_callback(SSL_CTX* context, TicketCallback* callback) noexcept {
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, callback);
}

bool set_mac_key(TicketMac* mac, std::span<const std::uint8_t> key) noexcept {
  std::array<char, 7> digest{"sha256"};
  const std::array<OSSL_PARAM, 2> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_init(mac, key.data(), key.size(), parameters.data()) == 1;
}

void demand_strength(SSL_CTX* /*context*/) noexcept {
  // That is its default, which an administrator may change.
}

bool may_be_shown(X509* /*certificate*/) noexcept {
  return true;  // another does not get into a context
}

void slim_after_handshake(SSL* /*ssl*/) noexcept {}

bool has_only_tickets_to_say(const SSL* ssl) noexcept {
  // Where it waits for the client's Finished (RFC 8446 4.6.1), having sent its own: for a second
  // ClientHello it waits there, too. What is wrong with a client's certificate is said at once.
  std::array<char, 1> unread{};
  return SSL_is_server(ssl) == 1 && SSL_version(ssl) == TLS1_3_VERSION &&
         SSL_get_state(ssl) == TLS_ST_EARLY_DATA && SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE &&
         SSL_get_finished(ssl, unread.data(), 0) > 0;
}

STACK_OF(X509) * chain_of(SSL_CTX* context) noexcept {
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context, static_cast<void*>(&chain));
  return chain;
}

bool ask_for(SSL* ssl, const char* name) noexcept {
  // The macro SSL_set_tlsext_host_name casts as C does.
  return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                  const_cast<char*>(name)) == 1;
}

long verification_of(const SSL* ssl) noexcept {
  return SSL_get_verify_result(ssl);
}

const char* text_of(long verification) noexcept {
  return X509_verify_cert_error_string(verification);
}

bool is_of_unknown_kind() noexcept {
  return false;  // whatever a certificate may have can be read
}

const char* what_keys_may_be() noexcept {
  return "its key may be too small: see openssl x509 -text";
}

}  // namespace gatehouse::tls_library
