#include "gateway/gateway.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "gateway/limits.h"
#include "gateway/notify.h"
#include "gateway/surroundings.h"

namespace gatehouse {

namespace {

// After a change the files must be quiet this long, but a load waits no longer than the second.
constexpr auto quiet = std::chrono::milliseconds(50);
constexpr auto wait_at_most = std::chrono::milliseconds(500);
// A file that was emptied or removed must stay so this long: an editor may be about to write it
// anew.
constexpr auto missing_at_least = std::chrono::milliseconds(300);
// Files that change while they are loaded are loaded again, so often.
constexpr int loads_at_most = 5;
constexpr auto retry_every = std::chrono::seconds(5);

std::uint64_t random_start() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) ^ device();
}

// The end has begun, and is an orderly one: a signal that nobody handles any more would make
// another of it.
void ignore_signals() noexcept {
  sigset_t all{};
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

// One line, without the severity, which the log has its own way to say.
std::string log_line(const config::Diagnostic& diagnostic) {
  const config::Location& at = diagnostic.at;
  return fmt::format("{}:{}:{}: {}{}{}", at.file, at.line, at.column, diagnostic.message,
                     diagnostic.hint.empty() ? "" : "; hint: ", diagnostic.hint);
}

bool same(const std::vector<config::Input>& one, const std::vector<config::Input>& other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](const config::Input& a, const config::Input& b) {
                      return a.path == b.path && a.is_folder == b.is_folder &&
                             a.content == b.content;
                    });
}

}  // namespace

Gateway::Gateway(std::filesystem::path gateway_yaml, Log& log)
    : gateway_yaml_(std::move(gateway_yaml)),
      log_(log),
      next_session_(random_start()),
      own_user_(name_of_own_user()),
      standing_work_(context_, log_),
      backend_watch_(context_, log_),
      cluster_watch_(standing_work_, log_, [this] { place_nodes(); }),
      nodes_(log_),
      ends_(context_, SIGTERM, SIGINT),
      reloads_(context_, SIGHUP),
      settle_(context_),
      look_timer_(context_),
      drain_timer_(context_) {}

Gateway::~Gateway() {
  for (const auto& worker : workers_) worker->stop();
}

bool Gateway::start(std::function<void(const std::string&, const std::string&)> listening) {
  listening_ = std::move(listening);
  if (reload() != ReloadOutcome::loaded) return false;
  wait_for_greetings();
  wait_for_end();
  wait_for_reload();
  watch_ = std::make_unique<FileWatch>(context_, [this] { files_changed(); });
  watch(snapshot_->inputs);
  look_regularly();
  ready_ = true;
  return true;
}

void Gateway::run() {
  notify_supervisor("READY=1");
  give_way_to_other_threads();  // a load of many rules must not be felt by who connects
  bool was_interrupted = false;
  for (;;) {
    try {
      if (std::exchange(was_interrupted, false)) files_changed();  // what was lost may be a look
      context_.run();
      break;
    } catch (const std::exception& exception) {
      // Nothing that goes wrong on this side of the house may end the sessions on the other.
      log_.error("the control thread caught: {}", exception.what());
      was_interrupted = true;
    }
  }
  if (connections() > 0) {
    // Every one of them was cut and has had its last words: a bug of ours must not keep the process
    // from ending.
    log_.error("{} connections did not end; giving them up", connections());
    audit_->stop();
    std::_Exit(EXIT_FAILURE);
  }
  for (const auto& worker : workers_) worker->stop();
  audit_->stop();
  ignore_signals();
}

ReloadOutcome Gateway::reload() {
  if (draining_) return ReloadOutcome::unchanged;
  const auto started = std::chrono::steady_clock::now();
  return take(load(), started);
}

ReloadOutcome Gateway::take(Built built, std::chrono::steady_clock::time_point started) {
  changing_since_.reset();
  const auto took = [&] { return std::chrono::steady_clock::now() - started; };
  if (built.diagnostics.has_errors()) return reject(built, took());
  missing_since_.clear();
  if (snapshot_ && same(built.inputs, snapshot_->inputs)) {
    last_error_.reset();
    rejected_inputs_.clear();
    return ReloadOutcome::unchanged;
  }
  Sockets sockets = bind(*built.snapshot, built.diagnostics);
  if (built.diagnostics.has_errors()) return reject(built, took());
  for (const config::Diagnostic& warning : built.diagnostics.all()) {
    log_.warning("{}", log_line(warning));
  }
  const config::Configuration& next = *built.snapshot->configuration;
  warn_of_own_user(next, own_user_, log_);
  if (snapshot_) warn_of_settings_to_restart_for(*snapshot_->configuration, next, log_);
  put_in_force(std::move(built.snapshot), std::move(sockets));
  audit_->record(SnapshotLoaded{
      .generation = snapshot_->generation, .files = snapshot_->inputs.size(), .duration = took()});
  log_.info("snapshot {} is in force: {} files", snapshot_->generation, snapshot_->inputs.size());
  return ReloadOutcome::loaded;
}

Built Gateway::load() {
  Built built;
  try {
    for (int count = 0; count < loads_at_most; ++count) {
      if (!snapshot_) {  // they are of the folder that the last load named
        continuity_.lockdowns.reset();
        continuity_.given_places.reset();
      }
      built = build_snapshot(gateway_yaml_, continuity_);
      if (!have_changed(built.inputs)) break;
    }
  } catch (const std::bad_alloc&) {
    built.diagnostics.error({.file = gateway_yaml_.filename()},
                            "there is not enough memory to load this");
    built.diagnostics.sort();
  }
  return built;
}

Gateway::Sockets Gateway::bind(const Snapshot& snapshot, config::Diagnostics& diagnostics) const {
  const std::size_t workers =
      workers_.empty() ? std::max<std::size_t>(1, snapshot.configuration->workers != 0
                                                      ? snapshot.configuration->workers
                                                      : std::thread::hardware_concurrency())
                       : workers_.size();
  Sockets sockets;
  for (const ListenerState& state : snapshot.listeners) {
    const config::Listener& listener = *state.listener;
    for (std::size_t index = 0; index < listener.addresses.size(); ++index) {
      const config::SocketAddress& address = listener.addresses[index];
      const std::string key = key_of(listener, index);
      const auto kept = sockets_.find(key);
      if (kept != sockets_.end()) {
        sockets.by_key[key] = {listener.name, kept->second.address};
        continue;
      }
      Bound bound = bind_and_listen(address, listener.device, workers,
                                    is_port_of_listeners(sockets, address.port));
      if (!bound.error.empty()) {
        diagnostics.error(listener.addresses_at[index],
                          "cannot listen on " + to_string(address) + ": " + bound.error,
                          listener.device
                              ? "is there a device of that name (`ip link`), and is the port free "
                                "(`ss -ltnp`)?"
                              : "another process may be using it: see `ss -ltnp`");
        continue;
      }
      sockets.by_key[key] = {listener.name, bound.address};
      sockets.added[key] = std::move(bound.sockets);
    }
  }
  return sockets;
}

void Gateway::put_in_force(std::shared_ptr<Snapshot> snapshot, Sockets sockets) {
  snapshot->generation = snapshot_ ? snapshot_->generation + 1 : 1;
  snapshot_ = std::move(snapshot);
  const config::Configuration& configuration = *snapshot_->configuration;
  log_.configure(configuration.log);
  if (workers_.empty()) {
    raise_descriptor_limit(configuration.limits, log_);
    audit_ = std::make_unique<AuditLog>(AuditSettings::of(configuration), log_);
    const std::size_t count = sockets.added.empty() ? 1 : sockets.added.begin()->second.size();
    for (std::size_t index = 0; index < count; ++index) {
      workers_.push_back(std::make_unique<Worker>(Services{log_, *audit_, continuity_.metrics,
                                                           places_, failed_logins_, thread_ids_,
                                                           refusals_, next_session_, own_user_}));
      workers_.back()->start();
    }
  } else {
    audit_->configure(AuditSettings::of(configuration));
  }
  sockets_ = std::move(sockets.by_key);
  look_at_nodes(sockets.added);
  hand_out(std::move(sockets.added));
  backend_watch_.follow(snapshot_);
  cluster_watch_.follow(*snapshot_);
  last_error_.reset();
  rejected_inputs_.clear();
  if (watch_) watch(snapshot_->inputs);
}

void Gateway::hand_out(std::map<std::string, std::vector<Descriptor>> added) {
  for (std::size_t index = 0; index < workers_.size(); ++index) {
    Worker::Change change{.snapshot = snapshot_, .leads_to = {}, .added = {}};
    for (const auto& [key, socket] : sockets_) change.leads_to[key] = {socket.listener};
    for (const auto& [key, socket] : nodes_.sockets()) {
      change.leads_to[key] = {socket.listener, socket.node};
    }
    for (auto& [key, descriptors] : added) change.added[key] = std::move(descriptors[index]);
    workers_[index]->adopt(std::move(change));
  }
  for (const auto& [key, descriptors] : added) tell_of_socket(key);
}

ReloadOutcome Gateway::reject(const Built& built, std::chrono::nanoseconds took) {
  if (watch_) {
    // What is wrong may be put right in files that the snapshot in force does not know.
    auto inputs = snapshot_->inputs;
    inputs.insert(inputs.end(), built.inputs.begin(), built.inputs.end());
    watch_->watch(inputs);
    // And what was wrong may pass without any file changing: a port in use, no descriptors.
    look_again_at(std::chrono::steady_clock::now() + retry_every);
  }
  const bool known = last_error_ && same(rejected_inputs_, built.inputs);
  const auto& diagnostics = built.diagnostics.all();
  last_error_ = LoadError{.time = std::chrono::system_clock::now(), .diagnostics = diagnostics};
  rejected_inputs_ = built.inputs;
  if (known || !snapshot_) return ReloadOutcome::rejected;
  log_.error("the configuration on disk is refused; snapshot {} stays in force",
             snapshot_->generation);
  for (const config::Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity == config::Severity::error) log_.error("{}", log_line(diagnostic));
  }
  audit_->record(SnapshotRejected{.generation = snapshot_->generation,
                                  .files = built.inputs.size(),
                                  .duration = took,
                                  .diagnostics = diagnostics});
  return ReloadOutcome::rejected;
}

// A signal that comes meanwhile is kept until it is waited for.
void Gateway::wait_for_greetings() {
  const auto until = std::chrono::steady_clock::now() + limits::first_greetings;
  const auto all_were_asked = [this] {
    return backend_watch_.all_were_asked() && cluster_watch_.all_were_asked();
  };
  while (!all_were_asked() && context_.run_one_until(until) > 0) {
  }
}

void Gateway::wait_for_end() {
  ends_.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    wait_for_end();  // first: whatever fails below, the next one is heard
    if (draining_) {
      cut_everything();
    } else {
      drain();
    }
  });
}

void Gateway::wait_for_reload() {
  reloads_.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    wait_for_reload();
    audit_->reopen();
    if (!draining_) reload();
  });
}

void Gateway::look_regularly() {
  look_timer_.expires_after(limits::look_every);
  look_timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    look_regularly();
    standing_work_.begin_again();
    if (draining_) return;
    bind_to_new_devices();
    if (nodes_.needs_another_look()) place_nodes();
  });
}

void Gateway::watch(const std::vector<config::Input>& inputs) {
  const std::string unwatched = watch_->watch(inputs);
  if (!unwatched.empty()) {
    log_.warning("changes are not noticed everywhere ({}): use SIGHUP or `gatehouse reload`",
                 unwatched);
  }
  // What was written before the watch began is not told of.
  if (have_changed(inputs)) files_changed();
}

void Gateway::files_changed() {
  if (draining_) return;
  const auto now = std::chrono::steady_clock::now();
  if (!changing_since_) changing_since_ = now;
  look_again_at(std::min(now + quiet, *changing_since_ + wait_at_most));
}

void Gateway::look_again_at(std::chrono::steady_clock::time_point when) {
  settle_.expires_at(when);
  settle_.async_wait([this](boost::system::error_code error) {
    if (!error) look_at_files();
  });
}

void Gateway::look_at_files() {
  const auto started = std::chrono::steady_clock::now();
  if (!something_is_missing(started)) {
    Built built = load();
    // Asked again behind the load: a file may have been emptied just before it was read.
    if (!something_is_missing(std::chrono::steady_clock::now())) {
      take(std::move(built), started);
      return;
    }
  }
  look_again_at(std::chrono::steady_clock::now() + quiet);
}

// Whether a file that had content is gone or empty, and not long enough to believe it.
bool Gateway::something_is_missing(std::chrono::steady_clock::time_point now) {
  bool wait = false;
  for (const config::Input& input : snapshot_->inputs) {
    if (input.content == 0) continue;
    struct stat status{};
    const bool exists = ::stat(input.path.c_str(), &status) == 0;
    if (exists && (input.is_folder || status.st_size > 0)) {
      missing_since_.erase(input.path);
      continue;
    }
    // An empty file that was written again since the last look, and emptied again, starts anew.
    const Missing seen{.since = now,
                       .changed = status.st_ctim.tv_sec * 1'000'000'000 + status.st_ctim.tv_nsec};
    Missing& known = missing_since_.try_emplace(input.path, seen).first->second;
    if (known.changed != seen.changed) known = seen;
    wait = wait || now - known.since < missing_at_least;
  }
  return wait;
}

std::size_t Gateway::connections() const noexcept {
  std::size_t count = 0;
  for (const auto& worker : workers_) count += worker->connections();
  return count;
}

void Gateway::for_each_session(Visit visit,
                               std::function<void(const std::vector<std::string>&)> done) {
  struct Collection {
    Visit visit;
    std::function<void(const std::vector<std::string>&)> done;
    std::vector<std::string> found;
    std::size_t missing;
  };
  auto collection = std::make_shared<Collection>(
      Collection{std::move(visit), std::move(done), {}, workers_.size()});
  for (const auto& worker : workers_) {
    worker->post([this, collection, &worker = *worker] {
      auto found = std::make_shared<std::vector<std::string>>();
      for (Session& session : worker.sessions()) {
        if (!session.is_established()) continue;
        if (auto text = collection->visit(session)) found->push_back(std::move(*text));
      }
      asio::post(context_, [collection, found] {
        std::move(found->begin(), found->end(), std::back_inserter(collection->found));
        if (--collection->missing == 0) collection->done(collection->found);
      });
    });
  }
}

std::string Gateway::metrics_text() const {
  MetricsSample sample = sample_of(*snapshot_);
  sample.snapshot_last_load_failed = last_error_.has_value();
  sample.audit_writable = audit_->writable();
  sample.audit_queue = audit_->depth();
  sample.audit_events_lost = audit_->lost();
  sample.blocked_sources = failed_logins_.blocks(std::chrono::steady_clock::now()).size();
  sample.version = GATEHOUSE_VERSION;
  return to_openmetrics(continuity_.metrics, sample);
}

}  // namespace gatehouse
