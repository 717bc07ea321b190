// How one snapshot follows another: who asks for a load, and what becomes of what it found.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "gateway/gateway.h"
#include "gateway/surroundings.h"

namespace gatehouse {

namespace {

// After a change the files must be quiet this long, but a load waits no longer than the second.
constexpr auto quiet = std::chrono::milliseconds(50);
constexpr auto wait_at_most = std::chrono::milliseconds(500);
// A file that was emptied or removed must stay so this long: an editor may be about to write it
// anew.
constexpr auto missing_at_least = std::chrono::milliseconds(300);
constexpr auto retry_every = std::chrono::seconds(5);

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

void Gateway::reload(Reloaded done) {
  if (draining_) return done(ReloadOutcome::unchanged);
  asked_to_reload_.push_back(std::move(done));
  try {
    begin_to_load();
  } catch (const std::bad_alloc&) {
    asked_to_reload_.pop_back();  // who asked is told at once, and may ask again
    throw;
  }
}

// Who asks while a load is under way has the next one: this one may have read his file already.
void Gateway::begin_to_load() {
  if (is_loading_) {
    load_again_ = true;
    return;
  }
  answers_due_.reserve(answers_due_.size() + asked_to_reload_.size());
  loader_.load([this, started = Clock::now()](std::optional<LoadedFiles> files) {
    end_of_load(std::move(files), started);
  });
  is_loading_ = true;
  load_again_ = false;
  changing_since_.reset();
  std::move(asked_to_reload_.begin(), asked_to_reload_.end(), std::back_inserter(answers_due_));
  asked_to_reload_.clear();
}

// Answers are due until they are given: if this fails, by the load that follows then.
void Gateway::end_of_load(std::optional<LoadedFiles> files, Clock::time_point started) {
  is_loading_ = false;
  const auto now = Clock::now();
  ReloadOutcome outcome = ReloadOutcome::unchanged;
  if (!draining_ && answers_due_.empty() && something_is_missing(now)) {
    look_again_at(now + quiet);  // a file may have been emptied just before it was read
  } else if (!draining_) {
    outcome = take(build(std::move(files)), started);
  }
  for (const Reloaded& done : std::exchange(answers_due_, {})) {
    try {
      done(outcome);
    } catch (const std::bad_alloc&) {
      log_.error("who asked for a reload has no answer, for want of memory");
    }
  }
  if (load_again_) begin_to_load();
}

Built Gateway::build(std::optional<LoadedFiles> files) {
  if (files) return build_snapshot(std::move(*files), continuity_);
  Built built;
  built.diagnostics.error({.file = gateway_yaml_.filename()},
                          "there is not enough memory to load this");
  return built;
}

ReloadOutcome Gateway::take(Built built, Clock::time_point started) {
  const auto took = [&] { return Clock::now() - started; };
  if (built.diagnostics.has_errors()) return reject(built, took());
  missing_since_.clear();
  if (snapshot_ && same(built.inputs, snapshot_->inputs)) {
    last_error_.reset();
    rejected_inputs_.clear();
    if (watch(built.inputs)) files_changed();
    if (all_are_told_) return ReloadOutcome::unchanged;
    tell_all();
    return ReloadOutcome::loaded;
  }
  Sockets sockets = bind(*built.snapshot, built.diagnostics);
  if (built.diagnostics.has_errors()) return reject(built, took());
  for (const config::Diagnostic& warning : built.diagnostics.all()) {
    log_.warning("{}", log_line(warning));
  }
  const config::Configuration& next = *built.snapshot->configuration;
  warn_of_own_user(next, own_user_, log_);
  if (snapshot_) warn_of_settings_to_restart_for(*snapshot_->configuration, next, log_);
  put_in_force(std::move(built.snapshot), std::move(sockets), started);
  return ReloadOutcome::loaded;
}

ReloadOutcome Gateway::reject(const Built& built, std::chrono::nanoseconds took) {
  if (watch_) {
    // What is wrong may be put right in files that the snapshot in force does not know.
    auto inputs = snapshot_->inputs;
    inputs.insert(inputs.end(), built.inputs.begin(), built.inputs.end());
    if (watch(inputs)) files_changed();
    // And what was wrong may pass without any file changing: a port in use, no descriptors. A look
    // that is due sooner, because one changed meanwhile, is not put off.
    if (!changing_since_) look_again_at(Clock::now() + retry_every);
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

void Gateway::wait_for_reload() {
  reloads_.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    wait_for_reload();
    audit_->reopen();
    reload([](ReloadOutcome) {});
  });
}

bool Gateway::watch(const std::vector<config::Input>& inputs) {
  FileWatch::Watched watched = watch_->watch(inputs);
  if (!watched.problem.empty() && watched.problem != unwatched_) {
    log_.warning("changes are not noticed everywhere ({}): use SIGHUP or `gatehouse reload`",
                 watched.problem);
  }
  unwatched_ = std::move(watched.problem);
  return watched.is_new;
}

void Gateway::files_changed() {
  if (draining_) return;
  const auto now = Clock::now();
  if (!changing_since_) changing_since_ = now;
  look_again_at(std::min(now + quiet, *changing_since_ + wait_at_most));
}

void Gateway::look_again_at(Clock::time_point when) {
  settle_.expires_at(when);
  settle_.async_wait([this](boost::system::error_code error) {
    if (!error && !draining_) look_at_files();
  });
}

void Gateway::look_at_files() {
  const auto now = Clock::now();
  if (something_is_missing(now)) {
    look_again_at(now + quiet);
  } else {
    begin_to_load();
  }
}

// Whether a file that had content is gone or empty, and not long enough to believe it.
bool Gateway::something_is_missing(Clock::time_point now) {
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

}  // namespace gatehouse
