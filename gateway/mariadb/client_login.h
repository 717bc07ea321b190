// The client's half of a login: what it is shown, and what it says. The other half is
// backend_login.h; the order in which their steps are taken, and what is decided between them, is
// the session's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gateway/mariadb/login.h"
#include "gateway/mariadb/packet_io.h"
#include "gateway/mariadb/stop.h"
#include "gateway/net/tls_stream.h"

namespace gatehouse::mariadb {

class ClientLogin {
 public:
  // The stream must outlive this. `reference` is what clients are given to ask about.
  ClientLogin(Stream& client, std::string reference);

  // --- the steps, in their order; a value ends the session
  // -----------------------------------------

  // Shows the client a greeting, a whole packet that announces `capabilities`, and reads its first
  // packet: the request to start TLS, or, where `tls_required` is not set, a login in plaintext.
  Awaitable<std::optional<Stop>> preamble(Bytes greeting, std::uint64_t capabilities,
                                          bool tls_required);
  // Whether the client asked for TLS. The caller does the handshake.
  [[nodiscard]] bool wants_tls() const noexcept { return !first_is_login_; }
  // Reads the login, unless the preamble was one. Nothing of it has reached a backend yet.
  Awaitable<std::optional<Stop>> read();

  // --- what was said
  // -------------------------------------------------------------------------------

  // Of the client's first packet: MariaDB goes by its capabilities and ignores those of a login
  // behind TLS.
  [[nodiscard]] const LoginPrefix& prefix() const noexcept { return prefix_; }
  // What both the greeting and that packet announce.
  [[nodiscard]] std::uint64_t capabilities() const noexcept {
    return prefix_.capabilities & greeting_capabilities_;
  }
  // How the client's login begins towards a backend whose greeting it has not seen.
  [[nodiscard]] LoginPrefix routed_prefix() const noexcept;
  // After read(). Views into packet().
  [[nodiscard]] const Login& login() const noexcept { return login_; }
  [[nodiscard]] Packet& packet() noexcept { return packet_; }

  // --- while the backend has its say
  // ---------------------------------------------------------------

  // Another login of an established session: COM_CHANGE_USER was packet 0, its answer is 1.
  void begin_again(std::uint64_t capabilities);
  Awaitable<Io> pass_on(Packet& reply);
  Awaitable<PacketIo> read_answer(Packet& answer);
  // How a read or write that was not ok ends the session.
  [[nodiscard]] Stop lost(PacketIo how) const;
  [[nodiscard]] Stream& stream() noexcept { return client_; }
  // False as long as it may still begin TLS.
  [[nodiscard]] bool is_in_plaintext() const noexcept {
    return moment_.greeted && !client_.is_tls();
  }

  // Where the next packet to the client would stand.
  [[nodiscard]] Moment moment() const noexcept { return moment_; }
  // An error the client can read at this moment, in sequence.
  [[nodiscard]] Stop fail(CloseReason reason, Failure failure = Failure::backend_unreachable) const;
  [[nodiscard]] Stop malformed() const;
  // Where it may not go on without TLS.
  [[nodiscard]] Stop refuse_plaintext() const;

 private:
  Stream& client_;
  std::string reference_;
  std::uint64_t greeting_capabilities_ = 0;
  Moment moment_ = before_greeting;
  Packet packet_;  // the client's first packet, then its login, which may be the same
  bool first_is_login_ = false;
  LoginPrefix prefix_;
  Login login_;
};

}  // namespace gatehouse::mariadb
