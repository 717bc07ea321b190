// The transparent login: one client, and the backend whose own greeting it is shown. Knows the
// protocol; the order in which its steps are taken, and what is decided between them, is the
// session's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gateway/close_reason.h"
#include "gateway/mariadb/dial.h"
#include "gateway/mariadb/login.h"
#include "gateway/mariadb/packet_io.h"
#include "gateway/mariadb/refusal.h"
#include "gateway/net/tls_stream.h"

namespace gatehouse::mariadb {

// A step that ends the session: why, and what its client may still be told.
struct Stop {
  CloseReason reason = CloseReason::internal_error;
  std::optional<Refusal> message;
};

// What the login says of the client. Client-chosen.
struct LoginFacts {
  std::string user;
  std::string database;
  std::string program;
};

class TransparentLogin {
 public:
  // The streams must outlive this. `backend_is_private`: nobody can listen in on that leg, because
  // it is TLS or a unix socket; only then may it carry a password in the clear. `reference` is what
  // clients are given to ask about.
  TransparentLogin(Stream& client, Stream& backend, Dialed dialed, bool backend_is_private,
                   std::string reference);

  // --- the steps, in their order; a value ends the session
  // -----------------------------------------

  // Shows the client the backend's greeting, with TLS offered, and reads its first packet: the
  // request to start TLS, or, where `tls_required` is not set, a whole login in plaintext.
  Awaitable<std::optional<Stop>> preamble(bool tls_required);
  // Whether the client asked for TLS. The caller does the handshake.
  [[nodiscard]] bool client_wants_tls() const noexcept { return !first_is_login_; }
  // Asks the backend for TLS as the client's words have it, and does that handshake.
  Awaitable<std::optional<Stop>> backend_tls(SslPointer ssl);
  // Reads the login, unless the preamble was one. Nothing of it has reached the backend yet.
  Awaitable<std::optional<Stop>> read_login(LoginFacts& facts);
  // Passes the login on, and what either side has to say, until the backend has accepted it.
  Awaitable<std::optional<Stop>> exchange();

  // ---------------------------------------------------------------------------------------------

  // For a client that has gone before the backend decided: MariaDB counts an unfinished handshake
  // against the gateway's address and blocks it after a hundred, so the login is ended as one of a
  // user that does not exist. Does nothing after exchange() came to an end by itself.
  Awaitable<void> finish_without_client();

  // An error the client can read at this moment, in sequence.
  [[nodiscard]] Stop fail(CloseReason reason, Failure failure = Failure::backend_unreachable) const;
  // Where the next packet to the client would stand.
  [[nodiscard]] Moment moment() const noexcept { return moment_; }
  [[nodiscard]] std::uint32_t thread_id() const noexcept { return dialed_.greeting.thread_id; }

 private:
  enum class Progress {
    greeted,        // the backend waits for its first packet
    tls_requested,  // for TLS, or behind it for the login
    reply_due,      // the login is sent: the backend's turn
    answer_due,     // it has asked for more: the client's turn
    decided,
  };
  enum class Turn { client, either, over };

  [[nodiscard]] Stop lost_client(PacketIo how) const;
  [[nodiscard]] Stop lost_backend(PacketIo how) const;
  [[nodiscard]] Stop malformed() const;
  Awaitable<std::optional<Stop>> send_login();
  Awaitable<std::optional<Stop>> relay_reply(Turn& turn);
  Awaitable<std::optional<Stop>> relay_answer();
  std::optional<Stop> judge_reply(Packet& packet, Turn& turn);
  std::optional<Stop> take_out_redirect(Packet& packet);
  [[nodiscard]] LoginPrefix absent_prefix() const;

  Stream& client_;
  Stream& backend_;
  Dialed dialed_;
  bool backend_is_private_;
  std::string reference_;

  Progress progress_ = Progress::greeted;
  Moment moment_ = before_greeting;
  Packet first_;  // the client's first packet: an SSLRequest, or the login
  bool first_is_login_ = false;
  LoginPrefix prefix_;  // of that packet: its capabilities govern the session
  Packet login_;
  std::string plugin_;                 // whose turn it is to be answered
  std::uint8_t backend_sequence_ = 0;  // of the last packet to or from the backend
};

}  // namespace gatehouse::mariadb
