// The half of a session that takes no step: what the policy says of it, and what is recorded of it.
#include <algorithm>
#include <utility>

#include "gateway/session.h"
#include "gateway/worker.h"

namespace gatehouse {

rules::Time Session::now_by_the_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

void Session::check(std::chrono::steady_clock::time_point steady_now, rules::Time now) {
  if (concluded_ || cut_) return;
  count_bytes();
  const Snapshot& snapshot = *worker_.snapshot();
  if (relay_ &&
      steady_now - relay_->last_activity() >= snapshot.configuration->limits.idle_timeout) {
    cut(CloseReason::idle_timeout);
    return;
  }
  if (judged_generation_ == 0) return;  // not judged yet
  const Judgement judgement = judge(snapshot, now);
  if (judgement.decision.verdict == rules::Verdict::undecided && !established_) return;
  if (judgement.decision.verdict == rules::Verdict::allow) {
    const bool changed =
        snapshot.generation != judged_generation_ || judgement.decision.rule != judged_rule_;
    if (changed) remember(judgement, snapshot);
  } else if (!is_spared(judgement)) {
    cut(CloseReason::revoked);  // first: whatever happens below, it is over
    remember(judgement, snapshot);
  }
}

SessionRecord Session::record() const {
  SessionRecord record = record_;
  if (relay_) {
    record.bytes_in = relay_->bytes_in();
    record.bytes_out = relay_->bytes_out();
  }
  record.duration = std::chrono::steady_clock::now() - accepted_at_;
  return record;
}

Session::Judgement Session::judge(const Snapshot& snapshot, rules::Time now) {
  Judgement judgement;
  judgement.identity.address = record_.source.address;
  judgement.listener = snapshot.find_listener(accepted_.listener);
  // A way in that is gone lets nobody in, nor lets anybody stay (decisions/0003).
  if (judgement.listener == nullptr) return judgement;
  if (!came_as_required(*judgement.listener->listener)) return judgement;
  judgement.identity = snapshot.configuration->networks.identify(
      accepted_.listener, proxied_ ? proxied_->source.ip : accepted_.peer.ip, record_.source.ids);
  if (came_by_another_device(*judgement.listener->listener, *snapshot.configuration)) {
    judgement.identity.arrival.way = rules::Arrival::Way::ambiguous_network;
  }
  const rules::Facts facts{
      .address = judgement.identity.address, .arrival = judgement.identity.arrival, .now = now};
  const auto& servers = judgement.listener->servers;
  if (record_.server.empty() && judgement.listener->is_routed()) {
    judgement.decision = rules::decide_for_any(judgement.listener->policies, facts);
    return judgement;
  }
  const auto meant = std::find_if(servers.begin(), servers.end(), [&](const ServerState* server) {
    return record_.server.empty() || server->server->name == record_.server;
  });
  if (meant == servers.end()) return judgement;
  judgement.server = *meant;
  judgement.decision = judgement.server->policy.decide(facts);
  return judgement;
}

Session::Judgement Session::decide(const Snapshot& snapshot) {
  Judgement judgement = judge(snapshot, now_by_the_clock());
  remember(judgement, snapshot);
  if (judgement.decision.verdict == rules::Verdict::allow && is_blocked(*judgement.server)) {
    judgement.decision = {
        .verdict = rules::Verdict::deny, .reason = rules::Reason::blocked, .rule = nullptr};
    remember(judgement, snapshot);
  }
  return judgement;
}

void Session::remember(const Judgement& judgement, const Snapshot& snapshot) {
  judged_generation_ = snapshot.generation;
  judged_rule_ = judgement.decision.rule;
  // Undecided is nothing to record: somebody was let on to say whom he wants.
  if (judgement.decision.verdict != rules::Verdict::undecided) {
    record_.set_decision(judgement.decision, snapshot.generation);
  }
  if (judgement.server != nullptr) {
    record_.server = judgement.server->server->name;
    server_metrics_ = judgement.server->metrics;
  }
  const auto& [address, arrival] = judgement.identity;
  record_.source.address = address;
  record_.source.network.clear();
  record_.source.subnet.clear();
  if (arrival.way == rules::Arrival::Way::network) {
    const rules::NetworkMap& networks = snapshot.configuration->networks;
    record_.source.network = networks[arrival.network].name;
    const rules::Subnet* subnet = networks.subnet(arrival.network, address);
    record_.source.subnet = subnet != nullptr ? subnet->name : std::string();
  }
}

void Session::deny(rules::Reason reason) noexcept {
  record_.set_decision({.verdict = rules::Verdict::deny, .reason = reason, .rule = nullptr},
                       judged_generation_);
}

bool Session::is_blocked(const ServerState& server) const {
  return worker_.services().failed_logins.is_blocked(
      {record_.source.network, record_.source.address}, server.server->name,
      std::chrono::steady_clock::now());
}

void Session::count_refused_login(const std::string& user) {
  const auto& settings = worker_.snapshot()->configuration->limits.failed_logins;
  server_metrics_->failed_logins.add();
  const auto alert = worker_.services().failed_logins.failed(
      settings, {record_.source.network, record_.source.address}, record_.server,
      std::chrono::steady_clock::now());
  if (!alert) return;
  server_metrics_->failed_login_alerts.add();
  SessionRecord attempt = record_;
  attempt.user = user;
  worker_.services().audit.alert(attempt, *alert);
}

void Session::count_use(const Judgement& judgement) noexcept {
  if (judgement.server != nullptr) {
    count_use(*judgement.server, judgement.decision);
  } else if (judgement.listener != nullptr) {
    // Denied for all of the listener's servers: by what each of them says itself.
    const rules::Facts facts{.address = judgement.identity.address,
                             .arrival = judgement.identity.arrival,
                             .now = now_by_the_clock()};
    for (const ServerState* server : judgement.listener->servers) {
      count_use(*server, server->policy.decide(facts));
    }
  }
}

void Session::count_use(const ServerState& server, const rules::Decision& decision) noexcept {
  if (decision.rule == nullptr) return;
  server.rule_uses[server.policy.written->number_of(*decision.rule)]->used(now_by_the_clock());
}

bool Session::is_spared(const Judgement& judgement) const {
  return established_ && judgement.server != nullptr &&
         judgement.decision.reason == rules::Reason::no_matching_rule &&
         judgement.server->policy.written->spec().on_revoke == rules::OnRevoke::keep;
}

void Session::record_opened() {
  established_ = true;
  place_->established();
  Metrics& metrics = worker_.services().metrics;
  metrics.handshakes.subtract();
  metrics.sessions_open.add();
  metrics.sessions_opened.add();
  metrics.establishment.observe(std::chrono::steady_clock::now() - accepted_at_);
  server_metrics_->sessions.add();
  worker_.services().audit.opened(*room_, record_);
}

bool Session::record_opened_again() {
  auto room = worker_.services().audit.reserve();
  if (!room) return false;
  worker_.services().audit.opened(*room, record_);
  room_ = std::move(room);
  return true;
}

void Session::count_bytes() noexcept {
  if (!relay_) return;
  Metrics& metrics = worker_.services().metrics;
  metrics.bytes(Direction::in)
      .add(relay_->bytes_in() - std::exchange(counted_in_, relay_->bytes_in()));
  metrics.bytes(Direction::out)
      .add(relay_->bytes_out() - std::exchange(counted_out_, relay_->bytes_out()));
}

void Session::conclude(CloseReason reason) noexcept {
  if (std::exchange(concluded_, true)) return;
  Metrics& metrics = worker_.services().metrics;
  count_bytes();
  if (established_) {
    metrics.sessions_open.subtract();
    server_metrics_->sessions.subtract();
  } else if (place_ || waiting_) {
    metrics.handshakes.subtract();
    waiting_.reset();  // before the answer: whoever has read it can come again
  }
  if (relay_) {
    record_.bytes_in = relay_->bytes_in();
    record_.bytes_out = relay_->bytes_out();
  }
  record_.duration = std::chrono::steady_clock::now() - accepted_at_;
  record_.close_reason = reason;
  if (reason == CloseReason::health_check) {
    metrics.health_checks.add();
    return;
  }
  if (reason == CloseReason::denied) {
    Denials& denials = server_metrics_ != nullptr ? server_metrics_->denied : metrics.denied_by_all;
    denials[static_cast<std::size_t>(*record_.reason)].add();
    worker_.services().audit.denied(std::move(record_));
    return;
  }
  metrics.sessions_closed(reason).add();
  if (room_) {
    worker_.services().audit.closed(*room_, std::move(record_));
  } else if (reason != CloseReason::audit_unwritable) {
    // Nobody knows yet who that was: repeats are folded.
    worker_.services().audit.denied(std::move(record_));
  }
}

}  // namespace gatehouse
