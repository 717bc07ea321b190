#include <algorithm>
#include <array>
#include <memory>

#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "gateway/net/tls_library.h"

namespace gatehouse::tls_library {

namespace {

// What OpenSSL's security level 2 comes to: as hard to break as 112 bits.
constexpr int rsa_bits_min = 2048;
constexpr int curve_bits_min = 224;
constexpr int signature_bits_min = 112;

// As OpenSSL's, without those that AWS-LC does not have. Its own list has SHA-1 besides, for
// clients of which nothing more is known, and lacks Ed25519, which takes nobody's place here.
constexpr std::array<std::uint16_t, 10> signatures{
    SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_ECDSA_SECP384R1_SHA384,
    SSL_SIGN_ECDSA_SECP521R1_SHA512, SSL_SIGN_ED25519,
    SSL_SIGN_RSA_PSS_RSAE_SHA256,    SSL_SIGN_RSA_PSS_RSAE_SHA384,
    SSL_SIGN_RSA_PSS_RSAE_SHA512,    SSL_SIGN_RSA_PKCS1_SHA256,
    SSL_SIGN_RSA_PKCS1_SHA384,       SSL_SIGN_RSA_PKCS1_SHA512};

constexpr std::array<int, 3> curves{NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1};

bool has_strong_key(X509* certificate) noexcept {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr) return false;
  const int bits = EVP_PKEY_bits(key);
  const int type = EVP_PKEY_id(key);
  if (type == EVP_PKEY_EC) return bits >= curve_bits_min;
  return type == EVP_PKEY_ED25519 || bits >= rsa_bits_min;
}

// What a digest comes to against whoever looks for two texts that have the same.
bool is_strong(const EVP_MD* digest) noexcept {
  return digest != nullptr && EVP_MD_size(digest) * 8 / 2 >= signature_bits_min;
}

// Of these X509_get_signature_info does not tell.
bool has_strong_pss_signature(const X509* certificate) noexcept {
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(nullptr, &algorithm, certificate);
  int type = V_ASN1_UNDEF;
  const void* parameters = nullptr;
  X509_ALGOR_get0(nullptr, &type, &parameters, algorithm);
  if (type != V_ASN1_SEQUENCE) return false;
  const std::unique_ptr<RSA_PSS_PARAMS, decltype(&RSA_PSS_PARAMS_free)> pss(
      static_cast<RSA_PSS_PARAMS*>(ASN1_item_unpack(static_cast<const ASN1_STRING*>(parameters),
                                                    ASN1_ITEM_rptr(RSA_PSS_PARAMS))),
      &RSA_PSS_PARAMS_free);
  // Without one it is SHA-1.
  return pss != nullptr && pss->hashAlgorithm != nullptr &&
         is_strong(EVP_get_digestbyobj(pss->hashAlgorithm->algorithm));
}

bool has_strong_signature(X509* certificate) noexcept {
  switch (X509_get_signature_nid(certificate)) {
    case NID_ED25519:
      return true;
    case NID_rsassaPss:
      return has_strong_pss_signature(certificate);
    default: {
      int bits = 0;
      return X509_get_signature_info(certificate, nullptr, nullptr, &bits, nullptr) == 1 &&
             bits >= signature_bits_min;
    }
  }
}

bool is_self_issued(X509* certificate) noexcept {
  return (X509_get_extension_flags(certificate) & EXFLAG_SI) != 0;
}

// Why OpenSSL would refuse a chain that AWS-LC takes; X509_V_OK where it would not. Nobody vouches
// for the last one but we who were told to trust it: its own signature says nothing.
int why_refused(const STACK_OF(X509) * chain) noexcept {
  const std::size_t size = sk_X509_num(chain);
  long authorities_below = 0;
  for (std::size_t place = 0; place < size; ++place) {
    X509* certificate = sk_X509_value(chain, place);
    if (!has_strong_key(certificate))
      return place == 0 ? X509_V_ERR_EE_KEY_TOO_SMALL : X509_V_ERR_CA_KEY_TOO_SMALL;
    if (place + 1 < size && !has_strong_signature(certificate)) return X509_V_ERR_CA_MD_TOO_WEAK;
    // AWS-LC does not ask a root how many authorities there may be between it and the leaf.
    const long authorities_max = X509_get_pathlen(certificate);
    if (place > 1 && authorities_max != -1 && authorities_below > authorities_max)
      return X509_V_ERR_PATH_LENGTH_EXCEEDED;
    if (place > 0 && !is_self_issued(certificate)) ++authorities_below;
  }
  return X509_V_OK;
}

int verify_as_openssl_does(X509_STORE_CTX* store, void* /*unused*/) noexcept {
  if (X509_verify_cert(store) != 1) return 0;
  const int why = why_refused(X509_STORE_CTX_get0_chain(store));
  if (why == X509_V_OK) return 1;
  X509_STORE_CTX_set_error(store, why);
  return 0;
}

}  // namespace

const char* version() noexcept {
  return "AWS-LC " AWSLC_VERSION_NUMBER_STRING;
}

void set_ticket_callback(SSL_CTX* context, TicketCallback* callback) noexcept {
  SSL_CTX_set_tlsext_ticket_key_cb(context, callback);
  // A session of TLS 1.3 would otherwise last two days, those of 1.2 two hours.
  SSL_CTX_set_session_psk_dhe_timeout(context,
                                      static_cast<std::uint32_t>(SSL_CTX_get_timeout(context)));
}

bool set_mac_key(TicketMac* mac, std::span<const std::uint8_t> key) noexcept {
  return HMAC_Init_ex(mac, key.data(), key.size(), EVP_sha256(), nullptr) == 1;
}

void demand_strength(SSL_CTX* context) noexcept {
  SSL_CTX_set_signing_algorithm_prefs(context, signatures.data(), signatures.size());
  SSL_CTX_set_verify_algorithm_prefs(context, signatures.data(), signatures.size());
  SSL_CTX_set_cert_verify_callback(context, &verify_as_openssl_does, nullptr);
}

bool may_be_shown(X509* certificate) noexcept {
  // Of the other curves that it can read, no client may ask TLS 1.3 to use one.
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key != nullptr && EVP_PKEY_id(key) == EVP_PKEY_EC) {
    const int curve = EC_GROUP_get_curve_name(EC_KEY_get0_group(EVP_PKEY_get0_EC_KEY(key)));
    if (std::find(curves.begin(), curves.end(), curve) == curves.end()) return false;
  }
  const bool is_self_signed = (X509_get_extension_flags(certificate) & EXFLAG_SS) != 0;
  return has_strong_key(certificate) && (is_self_signed || has_strong_signature(certificate));
}

void slim_after_handshake(SSL* ssl) noexcept {
  SSL_set_shed_handshake_config(ssl, 1);
}

bool has_only_tickets_to_say(const SSL* /*ssl*/) noexcept {
  return false;  // its own wait for the first bytes
}

STACK_OF(X509) * chain_of(SSL_CTX* context) noexcept {
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context, &chain);
  return chain;
}

bool ask_for(SSL* ssl, const char* name) noexcept {
  return SSL_set_tlsext_host_name(ssl, name) == 1;
}

long verification_of(const SSL* ssl) noexcept {
  const long result = SSL_get_verify_result(ssl);
  return result == X509_V_ERR_INVALID_CALL ? X509_V_OK : result;  // nothing was verified
}

const char* text_of(long verification) noexcept {
  // Of its own it has no use for these, and no words.
  switch (verification) {
    case X509_V_ERR_EE_KEY_TOO_SMALL:
      return "EE certificate key too weak";
    case X509_V_ERR_CA_KEY_TOO_SMALL:
      return "CA certificate key too weak";
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return "CA signature digest algorithm too weak";
    default:
      return X509_verify_cert_error_string(verification);
  }
}

bool is_of_unknown_kind() noexcept {
  while (const std::uint32_t code = ERR_get_error()) {
    const int library = ERR_GET_LIB(code);
    const int reason = ERR_GET_REASON(code);
    if (library == ERR_LIB_EVP && reason == EVP_R_UNSUPPORTED_ALGORITHM) return true;
    if (library == ERR_LIB_EC && reason == EC_R_UNKNOWN_GROUP) return true;
  }
  return false;
}

const char* what_keys_may_be() noexcept {
  return "AWS-LC takes RSA from 2048 bits, ECDSA with P-256, P-384 or P-521, and Ed25519; signed "
         "with SHA-2 or Ed25519; and to sign with, if key usage is said";
}

}  // namespace gatehouse::tls_library
