// The backend's half of a login: it is sent what the client said, and its replies are judged before
// the client sees them. The other half is client_login.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/mariadb/client_login.h"
#include "gateway/mariadb/dial.h"
#include "gateway/mariadb/packet_io.h"
#include "gateway/mariadb/stop.h"
#include "gateway/net/tls_stream.h"

namespace gatehouse::mariadb {

// What the client is to be told beyond the backend's own words, and what it must have done.
struct ExchangeTerms {
  // Put into the OK where the client tracks session state, since the greeting's was not true.
  std::optional<std::uint32_t> connection_id;
  // The first thing the backend says must be a question, or an error. It asks, because it was
  // offered a plugin that it does not have, or was sent a COM_CHANGE_USER: an OK without a question
  // was not earned by this client, and anything else answers something else than this login.
  bool switch_due = false;
};

class BackendLogin {
 public:
  // Both streams must outlive this. `is_private`: nobody can listen in on the backend's leg,
  // because it is TLS or a unix socket; only then may it carry a password in the clear.
  BackendLogin(Stream& backend, ClientLogin& client, Dialed dialed, bool is_private);

  // --- the steps, in their order; a value ends the session
  // -----------------------------------------

  // Whether the client may be shown, or may answer, this plugin: not where it would give its
  // password away.
  [[nodiscard]] std::optional<Stop> judge_plugin(std::string_view plugin) const;
  // Whether the client, which goes by another greeting, may rely on something this backend lacks.
  [[nodiscard]] std::optional<Stop> judge_capabilities() const;
  // Asks the backend for TLS in the client's words, and does that handshake.
  Awaitable<std::optional<Stop>> start_tls(SslPointer ssl);
  // Sends the client's login, unchanged but for what this leg needs.
  Awaitable<std::optional<Stop>> send_login(std::string_view plugin);
  // Sends the same as a login of `user` that offers a plugin no server has: the backend then asks
  // with a nonce of its own, which the client has not seen (decisions/0011).
  Awaitable<std::optional<Stop>> send_routed_login(std::string_view user);
  // Sends a COM_CHANGE_USER, a whole packet, whose own answer is for `plugin`.
  Awaitable<std::optional<Stop>> send_change_user(Bytes packet, std::string_view plugin);
  // Passes on what either side has to say, until the backend has accepted the login. Stops with
  // `login_refused` after its ERR was passed on.
  Awaitable<std::optional<Stop>> exchange(ExchangeTerms terms);

  // ---------------------------------------------------------------------------------------------

  // After `login_refused`: it was for want of the right password, not of something else.
  [[nodiscard]] bool refused_authentication() const noexcept { return refused_authentication_; }
  // And it had asked the client before, so that this was its answer to the login and to nothing
  // else.
  [[nodiscard]] bool has_asked() const noexcept { return has_asked_; }

  // For a client that has gone before the backend decided: MariaDB counts an unfinished handshake
  // against the gateway's address and blocks it after a hundred, so the login is ended as one of a
  // user that does not exist. Does nothing after exchange() came to an end by itself.
  Awaitable<void> finish_without_client();

  [[nodiscard]] const Greeting& greeting() const noexcept { return dialed_.greeting; }
  // The backend's own, with TLS offered to the client. REQUIRES: called once.
  [[nodiscard]] Packet take_greeting();

 private:
  enum class Progress {
    greeted,        // the backend waits for its first packet
    tls_requested,  // for TLS, or behind it for the login
    reply_due,      // the login is sent: the backend's turn
    answer_due,     // it has asked for more: the client's turn
    decided,
  };
  enum class Turn { client, either, over };

  [[nodiscard]] Stop lost(PacketIo how) const;
  void tls_was_started(const LoginPrefix& prefix) noexcept;
  Awaitable<Io> send(const Packet& packet);
  Awaitable<std::optional<Stop>> relay_reply(const ExchangeTerms& terms, Turn& turn);
  Awaitable<std::optional<Stop>> relay_answer();
  std::optional<Stop> judge_reply(const ExchangeTerms& terms, Packet& packet, Turn& turn);
  std::optional<Stop> judge_ok(const ExchangeTerms& terms, Packet& packet);
  [[nodiscard]] LoginPrefix absent_prefix() const;

  Stream& backend_;
  ClientLogin& client_;
  Dialed dialed_;
  bool is_private_;

  Progress progress_ = Progress::greeted;
  LoginPrefix tls_prefix_;     // of the SSLRequest it was sent: that one's capabilities govern
  std::string plugin_;         // whose turn it is to be answered
  std::uint8_t sequence_ = 0;  // of the last packet to or from the backend
  bool has_asked_ = false;
  bool refused_authentication_ = false;
};

}  // namespace gatehouse::mariadb
