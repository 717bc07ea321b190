#include "gateway/cassandra/dial.h"

#include <utility>

#include <boost/asio/this_coro.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "gateway/cluster.h"
#include "gateway/net/deadline.h"

namespace gatehouse::cassandra {

void remember(const ServerState& state, const Candidate& candidate, bool answered) {
  if (candidate.host_id) state.cluster->set_down(*candidate.host_id, !answered);
  // A node of the ring may also be one that the configuration names.
  for (std::size_t index = 0; index < state.backends.size(); ++index) {
    if (state.server->backends[index].text != candidate.text) continue;
    BackendState& backend = *state.backends[index];
    if (answered) {
      backend.succeeded();
    } else {
      backend.failed();
    }
  }
}

Dial::Dial(const ServerState& state, std::optional<Stream>& slot, Log& log)
    : state_(state), slot_(slot), log_(log), reach_(slot) {}

Awaitable<Dialed> Dial::run(const std::vector<Candidate>& candidates) {
  dialed_.why = "no node is known";
  for (std::size_t index = 0; index < candidates.size(); ++index) {
    dialed_.candidate = index;
    state_.metrics->backend_dials.add();
    if (co_await attempt(candidates[index])) {
      remember(state_, candidates[index], true);
      break;
    }
    if (dialed_.outcome == DialOutcome::aborted) break;
    state_.metrics->backend_dial_failures.add();
    log_.warning("server {}: backend {}: {}", state_.server->name, candidates[index].text,
                 dialed_.why);
  }
  co_return std::move(dialed_);
}

Awaitable<Dialed> Dial::run_only(const Candidate& candidate) {
  co_await attempt(candidate);
  co_return std::move(dialed_);
}

void Dial::abort() noexcept {
  aborted_ = true;
  reach_.stop();
}

// Whether it is connected; dialed_ says the rest.
Awaitable<bool> Dial::attempt(const Candidate& candidate) {
  auto failure = co_await try_one(candidate);
  dialed_.outcome = failure ? failure->outcome : DialOutcome::connected;
  if (aborted_) dialed_.outcome = DialOutcome::aborted;
  if (!failure || dialed_.outcome == DialOutcome::aborted) {
    co_return dialed_.outcome == DialOutcome::connected;
  }
  dialed_.why = std::move(failure->why);
  if (slot_) slot_->reset();
  if (!failure->is_ours) remember(state_, candidate, false);
  co_return false;
}

Awaitable<std::optional<Dial::Failure>> Dial::try_one(const Candidate& candidate) {
  bool late = false;
  const Deadline deadline(co_await asio::this_coro::executor, state_.server->dial_timeout, [&] {
    late = true;
    reach_.stop();
  });
  slot_.reset();
  auto failure = co_await reach_and_secure(candidate);
  if (failure && late) {
    failure = Failure{.outcome = DialOutcome::unreachable,
                      .why = fmt::format("no {} within dial_timeout ({})",
                                         slot_ && slot_->is_tls() ? "TLS" : "connection",
                                         state_.server->dial_timeout)};
  }
  co_return failure;
}

Awaitable<std::optional<Dial::Failure>> Dial::reach_and_secure(const Candidate& candidate) {
  if (auto unreached = co_await reach_.run(candidate.place)) {
    if (unreached->is_aborted) co_return Failure{.outcome = DialOutcome::aborted};
    co_return Failure{.why = std::move(unreached->why), .is_ours = unreached->is_ours};
  }
  if (!state_.tls) co_return std::nullopt;
  const Io io = co_await slot_->handshake(state_.tls->connect(*state_.server, candidate.place));
  if (io == Io::aborted) co_return Failure{.outcome = DialOutcome::aborted};
  if (io != Io::ok) {
    const std::string_view error = slot_->tls_error();
    co_return Failure{
        .outcome = slot_->peer_was_untrusted() ? DialOutcome::untrusted : DialOutcome::unreachable,
        .why = fmt::format("TLS failed: {}", error.empty() ? "it closed the connection" : error)};
  }
  co_return std::nullopt;
}

}  // namespace gatehouse::cassandra
