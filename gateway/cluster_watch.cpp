#include "gateway/cluster_watch.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <new>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>

#include "gateway/cassandra/control_connection.h"
#include "gateway/cassandra/probe.h"
#include "gateway/limits.h"

namespace gatehouse {

namespace {

using Clock = std::chrono::steady_clock;
using cassandra::Candidate;
using cassandra::Ring;

// What a connection is made by. A copy: a snapshot, with all its rules, must not live for as long
// as a connection does.
struct Settings {
  explicit Settings(const ServerState& of) : server(*of.server), state(of) {
    state.server = &server;
    state.policy = {};
    state.rule_uses.clear();
  }
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;

  config::Server server;
  ServerState state;
};

bool same_file(const std::optional<config::FileReference>& one,
               const std::optional<config::FileReference>& other) {
  return one.has_value() == other.has_value() && (!one || one->path == other->path);
}

// One cluster is one name, one list of backends and one account (cluster.h).
bool same_way(const Settings& one, const Settings& other) {
  const config::BackendTls& tls = one.server.tls;
  const config::BackendTls& other_tls = other.server.tls;
  return one.state.cluster == other.state.cluster && tls.mode == other_tls.mode &&
         tls.name == other_tls.name && tls.sha256 == other_tls.sha256 &&
         same_file(tls.ca, other_tls.ca);
}

}  // namespace

// One server. Kept by its standing work, too, until that is done.
class ClusterWatch::Watched : public std::enable_shared_from_this<Watched> {
 public:
  Watched(StandingWork& work, Log& log, const std::function<void()>& on_ring)
      : work_(work),
        log_(log),
        on_ring_(on_ring),
        pause_over_(work.context()),
        ask_again_(work.context()) {}

  void follow(const ServerState& state);
  void begin();
  void stop();
  [[nodiscard]] bool was_asked() const noexcept { return was_asked_; }

 private:
  Awaitable<void> run();
  Awaitable<void> ask_the_down();
  Awaitable<bool> try_all();
  Awaitable<bool> try_one(const Candidate& candidate);
  Awaitable<void> pause(Timer& timer, Clock::duration length) const;
  [[nodiscard]] std::vector<Candidate> candidates();
  void learned(const Candidate& candidate, const std::shared_ptr<const Ring>& ring);
  void suspect(const Candidate& candidate);
  [[nodiscard]] bool is_doubtful(const cassandra::Uuid& host_id) const;
  void failed(const Candidate& candidate, const std::string& why, bool had_ring);

  StandingWork& work_;
  Log& log_;
  const std::function<void()>& on_ring_;
  Timer pause_over_;
  Timer ask_again_;
  std::shared_ptr<const Settings> settings_;
  std::optional<cassandra::ControlConnection> connection_;
  std::string last_;            // who was connected to
  std::size_t first_node_ = 0;  // of the ring, in the next round
  // Of each one that was tried since a ring was learned: an outage is told of once.
  std::map<std::string, std::string> told_;
  std::map<cassandra::Uuid, Clock::time_point> suspected_;  // of late, and when
  bool has_ring_now_ = false;                               // this connection has learned it
  bool was_asked_ = false;
  bool begins_anew_ = false;  // the round under way is of settings before
  bool stopped_ = false;
};

void ClusterWatch::Watched::follow(const ServerState& state) {
  auto settings = std::make_shared<const Settings>(state);
  const bool goes_on = settings_ && same_way(*settings_, *settings);
  settings_ = std::move(settings);
  if (!has_ring_now_) {
    told_.clear();
    begins_anew_ = true;
    pause_over_.cancel();
  }
  if (!goes_on && connection_) {
    begins_anew_ = true;
    connection_->stop();
  }
}

void ClusterWatch::Watched::begin() {
  const std::string name = "server " + settings_->server.name + ": following its ring";
  work_.keep(name, [kept = shared_from_this()] { return kept->run(); });
  work_.keep(name, [kept = shared_from_this()] { return kept->ask_the_down(); });
}

void ClusterWatch::Watched::stop() {
  stopped_ = true;
  if (connection_) connection_->stop();
  pause_over_.cancel();
  ask_again_.cancel();
}

Awaitable<void> ClusterWatch::Watched::run() {
  Clock::duration length{0};
  while (!stopped_) {
    const auto started = Clock::now();
    begins_anew_ = false;
    const bool had_ring = co_await try_all();
    if (had_ring && Clock::now() - started >= limits::cluster_short_connection) length = {};
    if (begins_anew_) {
      length = {};
      continue;
    }
    was_asked_ = true;
    if (!had_ring) length = std::max<Clock::duration>(length, limits::backend_retry_first);
    co_await pause(pause_over_, length);
    length = std::clamp<Clock::duration>(length * 2, limits::backend_retry_first,
                                         limits::backend_retry_last);
  }
}

// One round: until one lets the ring be learned, and its connection has ended. Whether there was
// one.
Awaitable<bool> ClusterWatch::Watched::try_all() {
  const std::vector<Candidate> all = candidates();
  for (const Candidate& candidate : all) {
    if (stopped_ || begins_anew_) break;
    if (co_await try_one(candidate)) co_return true;
  }
  co_return false;
}

Awaitable<bool> ClusterWatch::Watched::try_one(const Candidate& candidate) {
  const std::shared_ptr<const Settings> settings = settings_;
  has_ring_now_ = false;
  connection_.emplace(settings->state, log_,
                      [&](const std::shared_ptr<const Ring>& ring) { learned(candidate, ring); });
  const std::string why = co_await connection_->run(candidate);
  connection_.reset();
  const bool had_ring = std::exchange(has_ring_now_, false);
  if (!stopped_ && !begins_anew_) failed(candidate, why, had_ring);
  co_return had_ring;
}

Awaitable<void> ClusterWatch::Watched::pause(Timer& timer, Clock::duration length) const {
  if (stopped_) co_return;
  timer.expires_after(length);
  co_await timer.async_wait(asio::as_tuple(use_awaitable));
}

// Who found a node to be down may be wrong, or not be there to see it come back: sessions avoid it.
Awaitable<void> ClusterWatch::Watched::ask_the_down() {
  while (!stopped_) {
    co_await pause(ask_again_, limits::cluster_ask_the_down_every);
    const std::shared_ptr<const Settings> settings = settings_;
    const auto ring = settings->state.cluster->ring();
    std::erase_if(suspected_, [now = Clock::now()](const auto& suspected) {
      return suspected.second + limits::cluster_suspect_for < now;
    });
    for (std::size_t number = 0; ring != nullptr && number < ring->nodes.size(); ++number) {
      if (stopped_) break;
      if (!is_doubtful(ring->nodes[number].host_id)) continue;
      const Candidate candidate = cassandra::candidate_of(ring->nodes[number]);
      const std::string why = co_await cassandra::probe(settings->state, candidate, log_);
      log_.debug("server {}: {} may be down: {}", settings->server.name, candidate.text,
                 why.empty() ? "it answers" : why);
    }
  }
}

// Those first that are not known to be down, and who was connected to last. Of a large ring some,
// other ones each time.
std::vector<Candidate> ClusterWatch::Watched::candidates() {
  const ServerState& state = settings_->state;
  std::vector<Candidate> good;
  std::vector<Candidate> bad;
  std::set<std::string> known;
  const auto add = [&](Candidate candidate, bool is_good) {
    if (!known.insert(candidate.text).second) return;
    (is_good && candidate.text != last_ ? good : bad).push_back(std::move(candidate));
  };
  for (std::size_t index = 0; index < state.backends.size(); ++index) {
    add(cassandra::candidate_of(settings_->server.backends[index]),
        state.backends[index]->health() != BackendHealth::failed);
  }
  if (const auto ring = state.cluster->ring()) {
    const std::size_t size = ring->nodes.size();
    const std::size_t count = std::min(size, limits::cluster_candidates);
    for (std::size_t number = 0; number < count; ++number) {
      const cassandra::Node& node = ring->nodes[(first_node_ + number) % size];
      add(cassandra::candidate_of(node), !state.cluster->is_down(node.host_id));
    }
    first_node_ = (first_node_ + count) % size;
  }
  good.insert(good.end(), std::make_move_iterator(bad.begin()), std::make_move_iterator(bad.end()));
  return good;
}

void ClusterWatch::Watched::learned(const Candidate& candidate,
                                    const std::shared_ptr<const Ring>& ring) {
  Cluster& cluster = *settings_->state.cluster;
  const auto before = cluster.ring();
  const bool is_new = before == nullptr || before->cluster_name != ring->cluster_name ||
                      before->nodes.size() != ring->nodes.size();
  if (is_new) {
    log_.info("server {}: cluster \"{}\": {} node{}", settings_->server.name, ring->cluster_name,
              ring->nodes.size(), ring->nodes.size() == 1 ? "" : "s");
  } else if (!told_.empty()) {
    log_.info("server {}: the ring is learned again from {}", settings_->server.name,
              candidate.text);
  }
  const bool is_other = before == nullptr || *before != *ring;
  if (is_other) cluster.publish(ring);
  has_ring_now_ = true;
  was_asked_ = true;
  last_ = candidate.text;
  told_.clear();
  if (is_other) on_ring_();
}

void ClusterWatch::Watched::failed(const Candidate& candidate, const std::string& why,
                                   bool had_ring) {
  const std::string& name = settings_->server.name;
  std::string& told = told_[candidate.text];
  if (had_ring) {
    suspect(candidate);
    log_.info("server {}: {} no longer tells of the ring: {}", name, candidate.text, why);
  } else if (told == why) {
    log_.debug("server {}: the ring is not learned from {}: {}", name, candidate.text, why);
  } else {
    log_.warning("server {}: the ring is not learned from {}: {}", name, candidate.text, why);
    told = why;
  }
}

// Who is asked next has perhaps been told before that this one is down, and does not tell again.
void ClusterWatch::Watched::suspect(const Candidate& candidate) {
  Cluster& cluster = *settings_->state.cluster;
  const auto ring = cluster.ring();
  for (const cassandra::Node& node : ring->nodes) {
    if (cassandra::candidate_of(node).text != candidate.text) continue;
    cluster.set_down(node.host_id, true);
    suspected_[node.host_id] = Clock::now();
  }
}

bool ClusterWatch::Watched::is_doubtful(const cassandra::Uuid& host_id) const {
  return suspected_.contains(host_id) || settings_->state.cluster->is_down(host_id);
}

ClusterWatch::ClusterWatch(StandingWork& work, Log& log, std::function<void()> on_ring)
    : work_(work), log_(log), on_ring_(std::move(on_ring)) {}

ClusterWatch::~ClusterWatch() = default;

void ClusterWatch::follow(const Snapshot& snapshot) {
  std::set<std::string> wanted;
  for (const auto& server : snapshot.servers) {
    if (server->cluster == nullptr || !server->server->topology) continue;
    const std::string& name = server->server->name;
    wanted.insert(name);
    const auto known = watched_.find(name);
    if (known != watched_.end()) {
      known->second->follow(*server);
    } else {
      begin(name, *server);
    }
  }
  std::erase_if(watched_, [&](const auto& entry) {
    const bool has_gone = !wanted.contains(entry.first);
    if (has_gone) entry.second->stop();
    return has_gone;
  });
}

void ClusterWatch::begin(const std::string& name, const ServerState& server) {
  const auto watched = std::make_shared<Watched>(work_, log_, on_ring_);
  watched->follow(server);
  const auto kept = watched_.emplace(name, watched).first;
  try {
    watched->begin();
  } catch (const std::bad_alloc&) {
    watched->stop();
    watched_.erase(kept);
    throw;
  }
}

void ClusterWatch::stop() {
  for (const auto& [name, watched] : watched_) watched->stop();
  watched_.clear();
}

bool ClusterWatch::all_were_asked() const {
  return std::ranges::all_of(watched_, [](const auto& entry) { return entry.second->was_asked(); });
}

}  // namespace gatehouse
