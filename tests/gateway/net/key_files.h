// Certificates and keys for a test, made on the spot: nothing here expires with the repository.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include <catch2/catch.hpp>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "gateway/net/tls_files.h"

namespace gatehouse {

// `choose` is given what makes the key, to say which it is to be.
template <typename Choose>
TlsPointer<EVP_PKEY> make_key_of(int type, Choose choose) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> maker(
      EVP_PKEY_CTX_new_id(type, nullptr), &EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_keygen_init(maker.get());
  choose(maker.get());
  REQUIRE(EVP_PKEY_keygen(maker.get(), &key) == 1);
  return TlsPointer<EVP_PKEY>(key);
}

inline TlsPointer<EVP_PKEY> make_key(int curve = NID_X9_62_prime256v1) {
  return make_key_of(EVP_PKEY_EC, [curve](EVP_PKEY_CTX* maker) {
    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(maker, curve);
  });
}

inline TlsPointer<EVP_PKEY> make_rsa_key(int bits = 2048) {
  return make_key_of(
      EVP_PKEY_RSA, [bits](EVP_PKEY_CTX* maker) { EVP_PKEY_CTX_set_rsa_keygen_bits(maker, bits); });
}

// Self-signed, for localhost, from a day before now or before `ends`, which is in seconds from now;
// `names` as in "DNS:a.test,IP:127.0.0.1", or null for none.
inline TlsPointer<X509> make_certificate(EVP_PKEY* key, long ends, const char* names = nullptr) {
  constexpr long day = 24L * 60 * 60;
  TlsPointer<X509> certificate(X509_new());
  X509* made = certificate.get();
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
  X509_gmtime_adj(X509_getm_notBefore(made), std::min(0L, ends) - day);
  X509_gmtime_adj(X509_getm_notAfter(made), ends);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(made, X509_get_subject_name(made));
  X509_set_pubkey(made, key);
  if (names != nullptr) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names);
    REQUIRE(extension);
    X509_add_ext(made, extension, -1);
    X509_EXTENSION_free(extension);
  }
  const bool has_own_digest = EVP_PKEY_id(key) == EVP_PKEY_ED25519;
  REQUIRE(X509_sign(made, key, has_own_digest ? nullptr : EVP_sha256()) > 0);
  return certificate;
}

// What a PEM_write_bio function leaves behind.
template <typename Write>
std::string pem(Write write) {
  const TlsPointer<BIO> text(BIO_new(BIO_s_mem()));
  REQUIRE(write(text.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

inline std::string to_pem(X509* certificate) {
  return pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
}

inline std::string to_pem(EVP_PKEY* key) {
  return pem([&](BIO* out) {
    return PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

inline std::string to_pem_behind_pass_phrase(EVP_PKEY* key) {
  return pem([&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), "secret", 6, nullptr,
                                         nullptr);
  });
}

// Valid now, of one certificate or (null) of none.
inline std::string make_revocations(X509* issuer, EVP_PKEY* key,
                                    const ASN1_INTEGER* revoked = nullptr) {
  constexpr long day = 24L * 60 * 60;
  const TlsPointer<X509_CRL> list(X509_CRL_new());
  X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer));
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> now(X509_gmtime_adj(nullptr, 0),
                                                                  &ASN1_TIME_free);
  X509_CRL_set1_lastUpdate(list.get(), now.get());
  X509_gmtime_adj(now.get(), day);
  X509_CRL_set1_nextUpdate(list.get(), now.get());
  if (revoked != nullptr) {
    X509_REVOKED* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, const_cast<ASN1_INTEGER*>(revoked));
    X509_REVOKED_set_revocationDate(entry, now.get());
    X509_CRL_add0_revoked(list.get(), entry);
  }
  REQUIRE(X509_CRL_sign(list.get(), key, EVP_sha256()) > 0);
  return pem([&](BIO* out) { return PEM_write_bio_X509_CRL(out, list.get()); });
}

}  // namespace gatehouse
