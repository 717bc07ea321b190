#include "gateway/net/tls_files.h"

#include <ctime>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "gateway/net/tls_library.h"
#include "gateway/observe/text.h"

namespace gatehouse {

namespace {

constexpr auto expires_soon = std::chrono::days(14);

// Never asks the terminal for a pass phrase: a gateway must start unattended.
int no_pass_phrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) {
  return 0;
}

TlsPointer<BIO> reader(const std::string& text) {
  return TlsPointer<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

TlsPointer<X509> next_certificate(BIO* from) {
  return TlsPointer<X509>(PEM_read_bio_X509(from, nullptr, no_pass_phrase, nullptr));
}

// After a read that gave nothing: whether the file simply ends there, which to OpenSSL is an error
// too. Otherwise something in it is damaged, and what stands behind that was not read.
bool was_the_end() {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

std::optional<SystemTime> to_time(const ASN1_TIME* when) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(when, &parts) != 1) return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

std::string to_date(SystemTime when) {
  return rfc3339(std::chrono::floor<std::chrono::seconds>(when));
}

}  // namespace

std::optional<SystemTime> TlsFiles::use_key_pair(SSL_CTX* context, const config::KeyPair& files) {
  const auto chain = read(files.certificate);
  const auto key = read(files.key);
  if (chain && key) warn_if_exposed(files.key);
  const bool chain_good = chain && use_chain(context, files.certificate, *chain);
  // The key is looked at even after a bad chain, so that one run shows both problems.
  const bool key_good = key && use_key(context, files.key, *key);
  if (!chain_good || !key_good) return std::nullopt;
  return check_expiry(context, files.certificate);
}

bool TlsFiles::trust(SSL_CTX* context, const config::FileReference& file, bool announce) {
  const auto text = read(file);
  if (!text) return false;
  const auto from = reader(*text);
  int count = 0;
  while (const auto certificate = next_certificate(from.get())) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get());
    if (announce) SSL_CTX_add_client_CA(context, certificate.get());
    if (X509_get0_pubkey(certificate.get()) == nullptr) {
      diagnostics_.warning(
          file.at,
          fmt::format("{} holds a certificate that can vouch for none", file.path.string()),
          tls_library::what_keys_may_be());
    }
    ++count;
  }
  if (!was_the_end()) {
    error(file, "holds a damaged certificate");
    return false;
  }
  if (count == 0) error(file, "holds no certificate in PEM form");
  return count > 0;
}

bool TlsFiles::use_revocations(SSL_CTX* context, const config::FileReference& file) {
  const auto text = read(file);
  if (!text) return false;
  const auto from = reader(*text);
  int count = 0;
  for (;;) {
    const TlsPointer<X509_CRL> list(
        PEM_read_bio_X509_CRL(from.get(), nullptr, no_pass_phrase, nullptr));
    if (!list) break;
    X509_STORE_add_crl(SSL_CTX_get_cert_store(context), list.get());
    ++count;
  }
  const bool whole = was_the_end();
  if (!whole || count == 0) {
    error(file, whole ? "holds no certificate revocation list in PEM form"
                      : "holds a damaged certificate revocation list");
    return false;
  }
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_CRL_CHECK);
  return true;
}

std::optional<std::string> TlsFiles::read(const config::FileReference& file) {
  auto read = inputs_.read(file.path);
  if (!read.text) error(file, fmt::format("cannot be read: {}", read.failure));
  return std::move(read.text);
}

bool TlsFiles::use_chain(SSL_CTX* context, const config::FileReference& file,
                         const std::string& text) {
  const auto from = reader(text);
  const auto leaf = next_certificate(from.get());
  if (!leaf) {
    ERR_clear_error();
    error(file, "holds no certificate in PEM form");
    return false;
  }
  if (!tls_library::may_be_shown(leaf.get()) || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    ERR_clear_error();
    error(file, "holds a certificate that cannot be used", tls_library::what_keys_may_be());
    return false;
  }
  while (const auto issuer = next_certificate(from.get())) {
    if (!tls_library::may_be_shown(issuer.get()) ||
        SSL_CTX_add1_chain_cert(context, issuer.get()) != 1) {
      error(file, "holds a chain that cannot be used");
      return false;
    }
  }
  if (was_the_end()) return true;
  error(file, "holds a damaged certificate behind the first");
  return false;
}

bool TlsFiles::use_key(SSL_CTX* context, const config::FileReference& file,
                       const std::string& text) {
  const auto from = reader(text);
  const TlsPointer<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(from.get(), nullptr, no_pass_phrase, nullptr));
  const bool is_of_unknown_kind = !key && tls_library::is_of_unknown_kind();
  ERR_clear_error();
  if (is_of_unknown_kind) {
    error(file, "holds a private key that cannot be used", tls_library::what_keys_may_be());
    return false;
  }
  if (!key) {
    error(file, "holds no private key in PEM form", "a key behind a pass phrase cannot be used");
    return false;
  }
  const X509* certificate = SSL_CTX_get0_certificate(context);
  const bool fits = certificate == nullptr || X509_check_private_key(certificate, key.get()) == 1;
  ERR_clear_error();
  if (!fits) {
    error(file, "is not the key of the certificate that stands beside it");
    return false;
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) == 1) return true;
  ERR_clear_error();
  error(file, "holds a private key that cannot be used");
  return false;
}

void TlsFiles::warn_if_exposed(const config::FileReference& key) {
  struct stat status{};
  if (::stat(key.path.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0) {
    diagnostics_.warning(key.at,
                         fmt::format("private key {} can be read by every user", key.path.string()),
                         fmt::format("chmod 600 {}", key.path.string()));
  }
}

std::optional<SystemTime> TlsFiles::check_expiry(SSL_CTX* context,
                                                 const config::FileReference& file) {
  const auto ends = to_time(X509_get0_notAfter(SSL_CTX_get0_certificate(context)));
  const auto begins = to_time(X509_get0_notBefore(SSL_CTX_get0_certificate(context)));
  if (!ends || !begins) {
    error(file, "holds a certificate whose dates cannot be read");
    return std::nullopt;
  }
  const auto now = std::chrono::system_clock::now();
  // Never an error: an expired certificate must not stand in the way of a new deny rule.
  if (*ends <= now) {
    diagnostics_.warning(
        file.at, fmt::format("certificate {} expired at {}", file.path.string(), to_date(*ends)),
        "clients that verify it refuse to connect");
  } else if (*ends <= now + expires_soon) {
    diagnostics_.warning(
        file.at, fmt::format("certificate {} expires at {}", file.path.string(), to_date(*ends)));
  }
  if (*begins > now) {
    diagnostics_.warning(file.at, fmt::format("certificate {} is not valid before {}",
                                              file.path.string(), to_date(*begins)));
  }
  return ends;
}

void TlsFiles::error(const config::FileReference& file, const std::string& what, std::string hint) {
  diagnostics_.error(file.at, fmt::format("{} {}", file.path.string(), what), std::move(hint));
}

}  // namespace gatehouse
