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

}  // namespace

Gateway::Gateway(std::filesystem::path gateway_yaml, Log& log)
    : gateway_yaml_(std::move(gateway_yaml)),
      log_(log),
      loader_(context_, gateway_yaml_, continuity_.tickets),
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
  const auto started = Clock::now();
  if (take(build(loader_.load_now()), started) != ReloadOutcome::loaded) return false;
  wait_for_greetings();
  wait_for_end();
  wait_for_reload();
  watch_ = std::make_unique<FileWatch>(context_, [this] { files_changed(); });
  if (watch(snapshot_->inputs) && have_changed(snapshot_->inputs)) files_changed();
  look_regularly();
  ready_ = true;
  return true;
}

void Gateway::run() {
  notify_supervisor("READY=1");
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
  loader_.stop();  // last: it waits for the disk
  ignore_signals();
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
      sockets.added[key] = std::make_shared<std::vector<Descriptor>>(std::move(bound.sockets));
    }
  }
  return sockets;
}

void Gateway::put_in_force(std::shared_ptr<Snapshot> snapshot, Sockets sockets,
                           Clock::time_point started) {
  const config::Configuration& configuration = *snapshot->configuration;
  log_.configure(configuration.log);
  if (workers_.empty()) {
    begin_to_work(configuration, sockets.added.empty() ? 1 : sockets.added.begin()->second->size());
  } else {
    audit_->configure(AuditSettings::of(configuration));
  }
  change_to(std::move(snapshot), started);
  sockets_ = std::move(sockets.by_key);
  remember_bound(std::move(sockets.added));
  last_error_.reset();
  rejected_inputs_.clear();
  look_at_nodes();
  tell_all();
}

void Gateway::begin_to_work(const config::Configuration& configuration, std::size_t workers) {
  raise_descriptor_limit(configuration.limits, log_);
  audit_ = std::make_unique<AuditLog>(AuditSettings::of(configuration), log_);
  for (std::size_t index = 0; index < workers; ++index) {
    workers_.push_back(std::make_unique<Worker>(
        Services{log_, *audit_, continuity_.metrics, places_, failed_logins_, thread_ids_,
                 refusals_, next_session_, own_user_},
        index));
    workers_.back()->start();
  }
}

// On record before any session is decided by it.
void Gateway::change_to(std::shared_ptr<Snapshot> next, Clock::time_point started) {
  next->generation = snapshot_ ? snapshot_->generation + 1 : 1;
  audit_->record(SnapshotLoaded{.generation = next->generation,
                                .files = next->inputs.size(),
                                .duration = Clock::now() - started});
  snapshot_ = std::move(next);
  all_are_told_ = false;
}

void Gateway::tell_all() {
  hand_out();
  if (!draining_) {
    backend_watch_.follow(snapshot_);
    cluster_watch_.follow(*snapshot_);
    if (watch_ && watch(snapshot_->inputs)) files_changed();
  }
  log_.info("snapshot {} is in force: {} files", snapshot_->generation, snapshot_->inputs.size());
  all_are_told_ = true;
}

// In the place of what could not be handed out before: that was of a listener that had gone since.
void Gateway::remember_bound(ListeningSockets added) noexcept {
  added.merge(bound_);
  bound_ = std::move(added);
}

void Gateway::hand_out() {
  const bool the_rest_is_told = std::exchange(all_are_told_, false);
  const auto change = std::make_shared<Worker::Change>();
  change->snapshot = snapshot_;
  for (const auto& [key, socket] : sockets_) change->leads_to[key] = {socket.listener};
  for (const auto& [key, socket] : nodes_.sockets()) {
    change->leads_to[key] = {socket.listener, socket.node};
  }
  change->added = bound_;
  change->before = handed_out_.lock();
  for (const auto& worker : workers_) worker->adopt(change);
  handed_out_ = change;
  bound_.clear();
  for (const auto& [key, sockets] : change->added) {
    if (change->leads_to.contains(key)) tell_of_socket(key);
  }
  all_are_told_ = the_rest_is_told;
}

// A signal that comes meanwhile is kept until it is waited for.
void Gateway::wait_for_greetings() {
  const auto until = Clock::now() + limits::first_greetings;
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

void Gateway::look_regularly() {
  look_timer_.expires_after(limits::look_every);
  look_timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    look_regularly();
    put_lockdowns_in_force();
    standing_work_.begin_again();
    if (draining_) return;
    bind_to_new_devices();
    if (nodes_.needs_another_look()) place_nodes();
  });
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
  sample.blocked_sources = failed_logins_.blocks(Clock::now()).size();
  sample.version = GATEHOUSE_VERSION;
  return to_openmetrics(continuity_.metrics, sample);
}

}  // namespace gatehouse
