// Certificates, keys and CRLs from disk, with errors that name the file and the line that names it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <openssl/ssl.h>

#include "config/configuration.h"
#include "config/text_file.h"

namespace gatehouse {

struct FreeTls {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
  void operator()(X509_CRL* list) const noexcept { X509_CRL_free(list); }
  void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
template <typename T>
using TlsPointer = std::unique_ptr<T, FreeTls>;

using SystemTime = std::chrono::system_clock::time_point;

// Reads the files a TLS context is made of. Every file read is added to `inputs`, so that a change
// of it is a change of the configuration; every problem to `diagnostics`.
class TlsFiles {
 public:
  TlsFiles(config::InputFiles& inputs, config::Diagnostics& diagnostics)
      : inputs_(inputs), diagnostics_(diagnostics) {}

  // Puts chain and key into the context. When the leaf ends, or unset after an error.
  std::optional<SystemTime> use_key_pair(SSL_CTX* context, const config::KeyPair& files);
  // Adds every certificate of the file to the context's trusted ones; as the client CAs announced,
  // too, where `announce` is set.
  bool trust(SSL_CTX* context, const config::FileReference& file, bool announce);
  bool use_revocations(SSL_CTX* context, const config::FileReference& file);

 private:
  std::optional<std::string> read(const config::FileReference& file);
  bool use_chain(SSL_CTX* context, const config::FileReference& file, const std::string& text);
  bool use_key(SSL_CTX* context, const config::FileReference& file, const std::string& text);
  void warn_if_exposed(const config::FileReference& key);
  std::optional<SystemTime> check_expiry(SSL_CTX* context, const config::FileReference& file);
  void error(const config::FileReference& file, const std::string& what, std::string hint = {});

  config::InputFiles& inputs_;
  config::Diagnostics& diagnostics_;
};

}  // namespace gatehouse
