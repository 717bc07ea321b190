#include "gateway/backend_watch.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "gateway/limits.h"
#include "gateway/mariadb/probe.h"

namespace gatehouse {

namespace {

// Holds the snapshot for as long as the probe reads it. Sessions log their own failures: what is
// said here is only what they do not know.
Awaitable<void> probe(std::shared_ptr<const Snapshot> /*held*/, std::shared_ptr<void> /*under_way*/,
                      const ServerState& server, std::size_t index, Log& log) {
  const BackendState& backend = *server.backends[index];
  const std::string& name = server.server->name;
  const std::string& text = server.server->backends[index].text;
  const BackendHealth before = backend.health();
  const mariadb::Probe found = co_await mariadb::probe(server, index);
  if (found.good && before == BackendHealth::failed) {
    log.info("server {}: backend {} answers again: {}", name, text, found.text);
  } else if (!found.good && before == BackendHealth::unknown) {
    log.warning("server {}: backend {}: {}", name, text, found.text);
  } else {
    log.debug("server {}: backend {}: {}", name, text, found.text);
  }
}

bool is_routed_to(const Snapshot& snapshot, const ServerState& server) {
  return std::any_of(
      snapshot.listeners.begin(), snapshot.listeners.end(), [&](const ListenerState& listener) {
        return listener.listener->login == config::LoginMode::routed &&
               std::count(listener.servers.begin(), listener.servers.end(), &server) > 0;
      });
}

}  // namespace

BackendWatch::BackendWatch(asio::io_context& context, Log& log)
    : context_(context), log_(log), timer_(context) {}

void BackendWatch::follow(std::shared_ptr<const Snapshot> snapshot) {
  snapshot_ = std::move(snapshot);
  watched_.clear();
  const auto now = Clock::now();
  for (const auto& server : snapshot_->servers) {
    if (server->server->protocol != config::Protocol::mariadb) continue;
    const bool is_routed = is_routed_to(*snapshot_, *server);
    const bool has_others = server->backends.size() > 1;
    if (!is_routed && !has_others) continue;
    for (std::size_t index = 0; index < server->backends.size(); ++index) {
      watched_[server->backends[index]] = {.server = server.get(),
                                           .index = index,
                                           .is_routed = is_routed,
                                           .has_others = has_others,
                                           .due = now,
                                           .pause = limits::backend_retry_first};
    }
  }
  look_regularly();
}

void BackendWatch::stop() {
  watched_.clear();
  timer_.cancel();
}

bool BackendWatch::all_were_asked() const {
  return std::all_of(watched_.begin(), watched_.end(), [](const auto& entry) {
    const auto& [backend, watched] = entry;
    return !watched.is_routed || watched.was_asked || backend->greeting();
  });
}

void BackendWatch::look_regularly() {
  if (watched_.empty()) return;
  timer_.expires_after(limits::backend_look_every);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) look_regularly();
  });
  look();  // last: nothing in there may keep the next look from coming
}

void BackendWatch::look() {
  std::erase_if(under_way_, [](const auto& entry) { return entry.second.expired(); });
  const auto now = Clock::now();
  std::vector<std::pair<Clock::time_point, std::shared_ptr<BackendState>>> due;
  for (auto& [backend, watched] : watched_) {
    const bool failed = watched.has_others && backend->health() == BackendHealth::failed;
    if (!failed && !(watched.is_routed && !backend->greeting())) {
      watched.pause = Clock::duration(0);
      continue;
    }
    if (watched.pause == Clock::duration(0)) {
      watched.pause = limits::backend_retry_first;
      watched.due = now + limits::backend_retry_first;
    }
    if (watched.due <= now && !under_way_.contains(backend)) due.emplace_back(watched.due, backend);
  }
  // Who has waited longest goes first: those that never answer must not keep others out.
  std::sort(due.begin(), due.end());
  for (const auto& [since, backend] : due) {
    if (under_way_.size() >= limits::backend_probes) break;
    begin(backend, watched_.at(backend));
  }
}

void BackendWatch::begin(const std::shared_ptr<BackendState>& backend, const Watched& watched) {
  const auto under_way = std::make_shared<char>();
  under_way_[backend] = under_way;
  asio::co_spawn(context_, probe(snapshot_, under_way, *watched.server, watched.index, log_),
                 [this, backend](const std::exception_ptr& failure) {
                   if (failure) log_.error("a backend was not probed for want of memory");
                   ended(backend);
                 });
}

void BackendWatch::ended(const std::shared_ptr<BackendState>& backend) {
  under_way_.erase(backend);
  if (const auto found = watched_.find(backend); found != watched_.end()) {
    Watched& watched = found->second;
    watched.was_asked = true;
    watched.due = Clock::now() + watched.pause;
    watched.pause = std::min<Clock::duration>(watched.pause * 2, limits::backend_retry_last);
  }
  // Another may have been waiting for its turn.
  asio::post(context_, [this] { look(); });
}

}  // namespace gatehouse
