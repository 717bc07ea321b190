// A session with a MariaDB server: transparent where its listener leads to one server, routed by
// the login where it leads to several.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/mariadb/backend_login.h"
#include "gateway/mariadb/change_user.h"
#include "gateway/mariadb/client_login.h"
#include "gateway/mariadb/command_watch.h"
#include "gateway/mariadb/dial.h"
#include "gateway/session.h"
#include "gateway/thread_ids.h"

namespace gatehouse {

class MariadbSession final : public Session {
 public:
  MariadbSession(Worker& worker, Accepted accepted);

  Awaitable<bool> arrive() override;
  Awaitable<bool> go_on(RelayEnd end) override;

 private:
  using Stop = mariadb::Stop;

  // Of a listener that leads to several servers: what is known of the client's way before and after
  // its login. Allocated for such sessions only.
  struct Routed {
    std::uint32_t greeted_thread = 0;
    std::uint64_t capabilities = 0;  // in force between client and backend
    bool backend_is_private = false;
    std::optional<ThreadIds::Entry> thread;
    std::optional<mariadb::CommandWatch> commands;
  };

  // Unset: it is established, and its relay is there.
  Awaitable<std::optional<Stop>> stages();
  Awaitable<std::optional<Stop>> dial(const ServerState& server);
  Awaitable<std::optional<Stop>> preamble(const ListenerState& listener);
  Awaitable<std::optional<Stop>> tls(const ListenerState& listener, const ServerState* dialed);
  Awaitable<std::optional<Stop>> backend_tls(const ServerState& server);
  Awaitable<std::optional<Stop>> read_login();
  [[nodiscard]] std::optional<Stop> judge_user(std::string_view user,
                                               std::string_view plugin) const;
  [[nodiscard]] std::optional<Stop> find_server(const ListenerState& listener);
  Awaitable<std::optional<Stop>> exchange();
  void watch_commands();
  void begin_relay();
  Awaitable<std::optional<Stop>> change_user();
  Awaitable<std::optional<Stop>> log_in_again(const mariadb::ChangeUser& change, std::string user);
  // Closes its record, and then it with the last words.
  Awaitable<void> over(const Stop& stop);
  void abort_dial() noexcept override;

  // What its client is told of an end that all protocols have.
  [[nodiscard]] Stop stop_for(CloseReason reason) const;
  // What a denied client is told, if anything.
  [[nodiscard]] std::optional<mariadb::Refusal> refusal_at_accept(const Judgement& judgement) const;
  [[nodiscard]] std::optional<mariadb::Refusal> routed_refusal(const ListenerState& listener) const;
  // Where the next packet to the client would stand.
  [[nodiscard]] mariadb::Moment moment() const noexcept;

  std::unique_ptr<mariadb::Dial> dial_;  // only while there is one
  bool backend_is_local_ = false;        // behind a unix socket
  std::size_t backend_index_ = 0;        // among the server's, of the last one dialled
  // Both until the login is done.
  std::unique_ptr<mariadb::ClientLogin> client_login_;
  std::unique_ptr<mariadb::BackendLogin> backend_login_;
  std::unique_ptr<Routed> routed_;  // null on a listener that leads to one server
};

}  // namespace gatehouse
