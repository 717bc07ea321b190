// The half of a session behind its login: bytes pass, and where the login was routed, another one
// may come.
#include <utility>

#include "gateway/mariadb/change_user.h"
#include "gateway/mariadb/server_name.h"
#include "gateway/mariadb_session.h"
#include "gateway/net/deadline.h"
#include "gateway/worker.h"

namespace gatehouse {

void MariadbSession::watch_commands() {
  ThreadIds& ids = worker_.services().thread_ids;
  routed_->thread =
      ids.enter(routed_->greeted_thread, record_.backend, backend_login_->greeting().thread_id);
  routed_->commands.emplace(ids, record_.backend);
}

void MariadbSession::begin_relay() {
  relay_.emplace(*client_, *backend_, worker_.scratch(), routed_ ? &*routed_->commands : nullptr);
}

Awaitable<bool> MariadbSession::go_on(RelayEnd end) {
  if (end != RelayEnd::intercepted) {
    const Stop closed{reason_of(end), std::nullopt};
    co_await over(closed);
    co_return false;
  }
  co_await relay_->write_rest();
  const auto stop = co_await change_user();
  if (stop) co_await over(*stop);
  co_return !stop;
}

// Another login of the same session: decided again, and bound to the server it has.
Awaitable<std::optional<MariadbSession::Stop>> MariadbSession::change_user() {
  client_login_ = std::make_unique<mariadb::ClientLogin>(*client_, to_string(record_.session));
  client_login_->begin_again(routed_->capabilities);
  const auto payload = routed_->commands->take_change_user();
  const auto change =
      payload ? mariadb::parse_change_user(*payload, routed_->capabilities) : std::nullopt;
  if (!change) co_return client_login_->malformed();

  const auto snapshot = worker_.snapshot();
  const Judgement judgement = decide(*snapshot);
  if (judgement.decision.verdict != rules::Verdict::allow && !is_spared(judgement)) {
    co_return Stop{CloseReason::revoked, judgement.listener != nullptr
                                             ? routed_refusal(*judgement.listener)
                                             : std::nullopt};
  }
  const ListenerState& listener = *judgement.listener;
  const std::string_view sni = record_.tls ? std::string_view(record_.tls->sni) : "";
  const auto meant = mariadb::find_meant_server(change->user, change->attribute("_server_host"),
                                                sni, listener.server_names);
  using Outcome = mariadb::MeantServer::Outcome;
  if (meant.outcome == Outcome::contradictory ||
      (meant.outcome == Outcome::named && listener.server_names[meant.index] != record_.server)) {
    deny(rules::Reason::unknown_server);
    co_return Stop{CloseReason::revoked, routed_refusal(listener)};
  }
  co_return co_await log_in_again(*change, std::string(meant.user));
}

Awaitable<std::optional<MariadbSession::Stop>> MariadbSession::log_in_again(
    const mariadb::ChangeUser& change, std::string user) {
  const Deadline deadline(worker_.executor(),
                          worker_.snapshot()->configuration->limits.handshake_timeout,
                          [this] { cut(CloseReason::handshake_timeout); });
  mariadb::Dialed established;
  established.greeting.capabilities = routed_->capabilities;
  backend_login_ = std::make_unique<mariadb::BackendLogin>(
      *backend_, *client_login_, std::move(established), routed_->backend_is_private);
  const std::string_view plugin = change.plugin.value_or("");
  if (auto stop = judge_user(user, plugin)) co_return stop;
  std::vector<std::uint8_t> packet;
  mariadb::append_change_user(packet, change, user, routed_->capabilities);
  if (auto stop = co_await backend_login_->send_change_user(packet, plugin)) co_return stop;
  auto stop = co_await backend_login_->exchange(
      {.connection_id = record_.backend_thread, .switch_due = true});
  if (backend_login_->refused_authentication()) count_refused_login(user);
  // Refused, the session goes on as the user it was, as on a direct connection. An error without a
  // question before may have been the answer to something else.
  const bool goes_on =
      stop && stop->reason == CloseReason::login_refused && backend_login_->has_asked();
  if (stop && !goes_on) co_return stop;
  if (!stop) {
    record_.user = std::move(user);
    record_.database = change.database;
    if (!record_opened_again())
      co_return client_login_->fail(CloseReason::audit_unwritable,
                                    mariadb::Failure::audit_unwritable);
  }
  client_login_.reset();
  backend_login_.reset();
  co_return std::nullopt;
}

}  // namespace gatehouse
