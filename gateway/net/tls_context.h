// What TLS is made of on either side: a listener's identity, and how a server's backends are
// trusted. Built once a snapshot, immutable, shared by all workers.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/configuration.h"
#include "config/text_file.h"
#include "gateway/net/tls_sessions.h"
#include "gateway/net/tls_stream.h"

struct ssl_ctx_st;

namespace gatehouse {

class TicketKeys;

struct FreeSslContext {
  void operator()(ssl_ctx_st* context) const noexcept;
};
using SslContextPointer = std::unique_ptr<ssl_ctx_st, FreeSslContext>;

// Towards clients. Which of several certificates a client is shown is chosen by the name it asks
// for (SNI), before anything else is: an exact name before a wildcard, else in the order of the
// file, else the first. Everything but the certificate is the same for all of them.
class ListenerTls {
 public:
  // Null, with the reasons in `diagnostics`, if a file cannot be used. `tickets` must outlive the
  // result.
  static std::shared_ptr<const ListenerTls> load(const config::Listener& listener,
                                                 TicketKeys& tickets, config::InputFiles& inputs,
                                                 config::Diagnostics& diagnostics);

  // Null if there is no memory for one. This must outlive its handshake.
  [[nodiscard]] SslPointer accept() const noexcept;
  // When the first of the certificates ends.
  [[nodiscard]] std::chrono::system_clock::time_point expires() const noexcept { return expires_; }

 private:
  [[nodiscard]] SslContextPointer make_context(config::TlsVersion minimum, TicketKeys& tickets);
  void add(SslContextPointer context, const config::KeyPair& identity,
           config::Diagnostics& diagnostics);
  [[nodiscard]] ssl_ctx_st* choose(std::string_view name) const noexcept;
  static int greet(ssl_st* ssl, int* alert, void* self) noexcept;

  // One for each set of names, the default first. A context has a certificate of each type of key.
  std::vector<SslContextPointer> contexts_;
  std::array<std::uint8_t, 32> listener_{};  // SHA-256 of the listener's name
  bool gives_tickets_ = true;
  std::chrono::system_clock::time_point expires_;
};

// Towards the backends of one server, and whatever other places it is said to be at. Keeps the last
// TLS session of each, so that the next connection to it resumes; these die with the settings they
// were made under.
class BackendTls {
 public:
  // Null, with the reasons in `diagnostics`, if a file cannot be used. REQUIRES: server.tls.mode is
  // not off.
  static std::shared_ptr<BackendTls> load(const config::Server& server, config::InputFiles& inputs,
                                          config::Diagnostics& diagnostics);

  // For a connection to this place. Null if there is no memory for one. This must outlive it.
  [[nodiscard]] SslPointer connect(const config::Server& server, const config::BackendPlace& place);
  [[nodiscard]] SslPointer connect(const config::Server& server, std::size_t backend) {
    return connect(server, server.backends.at(backend).where);
  }

 private:
  BackendTls();
  static int keep_session(ssl_st* ssl, ssl_session_st* session) noexcept;
  void resume(ssl_st* ssl, const std::string& place) noexcept;

  SslContextPointer context_;
  std::string pinned_;  // lower-case hex SHA-256 of the DER; empty unless the mode is pin

  std::mutex mutex_;  // held to look one session up, once a connection
  TlsSessions sessions_;
};

}  // namespace gatehouse
