// A certificate and its key for a gateway that a target runs: made on the spot.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "gateway/net/tls_files.h"
#include "tests/fuzz/require.h"

namespace gatehouse::fuzz {

// Writes gateway.pem, self-signed, and gateway.key.
inline void write_identity(const std::filesystem::path& folder) {
  constexpr long day = 24L * 60 * 60;
  const TlsPointer<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const TlsPointer<X509> certificate(X509_new());
  X509* made = certificate.get();
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
  X509_gmtime_adj(X509_getm_notBefore(made), -day);
  X509_gmtime_adj(X509_getm_notAfter(made), 365 * day);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(made, X509_get_subject_name(made));
  X509_set_pubkey(made, key.get());
  require(X509_sign(made, key.get(), EVP_sha256()) > 0, "a certificate can be signed");
  const auto write = [&](const char* name, auto put) {
    const std::unique_ptr<std::FILE, decltype(&std::fclose)> file(
        std::fopen((folder / name).c_str(), "we"), &std::fclose);
    require(file != nullptr && put(file.get()) == 1, "the fuzzer's own files can be written");
  };
  write("gateway.pem", [&](std::FILE* file) { return PEM_write_X509(file, made); });
  write("gateway.key", [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

}  // namespace gatehouse::fuzz
