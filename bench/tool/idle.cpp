#include "bench/tool/idle.h"

#include <csignal>
#include <cstdio>

#include <fmt/format.h>

#include "bench/tool/descriptors.h"
#include "bench/tool/established.h"

namespace gatehouse::bench {

namespace {

constexpr std::size_t descriptors_beside = 50;
constexpr std::size_t told_every = 100;

std::size_t end_of_step(const IdleOptions& options, std::size_t step) {
  return options.sessions * (step + 1) / options.steps;
}

// One target, from none to all.
class Held {
 public:
  Held(const Subjects& subjects, const IdleOptions& options, const Target& target)
      : subjects_(subjects),
        options_(options),
        target_(target),
        account_(subjects.account_of(target)),
        context_(client_context()) {
    // Otherwise thousands of clients would take more memory than what they measure.
    SSL_CTX_set_mode(context_.get(), SSL_MODE_RELEASE_BUFFERS);
  }

  bool measure(Measured& measured, std::string& why) {
    const auto before = memory_kib(target_.processes);
    for (std::size_t step = 0; step < options_.steps; ++step) {
      if (!open(end_of_step(options_, step), measured, why)) return false;
      if (target_.processes.empty()) continue;
      const auto now = memory_kib(target_.processes);
      if (!before || !now) {
        why = "the memory of a process of it cannot be read\n  hint: it must be yours, or be root";
        return false;
      }
      measured.by_step.back().values.push_back((*now - *before) /
                                               static_cast<double>(clients_.size()));
    }
    if (!target_.processes.empty()) {
      measured.figures.back().values = {measured.by_step.back().values.back()};
    }
    return true;
  }

  void hold() const {
    sigset_t ends{};
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    fmt::print(stderr, "{}: {} sessions are held until Ctrl-C\n", target_.name, clients_.size());
    int signal = 0;
    ::sigwait(&ends, &signal);
    ::pthread_sigmask(SIG_UNBLOCK, &ends, nullptr);
  }

  void close() {
    for (const auto& client : clients_) client->close();
  }

 private:
  bool open(std::size_t end, Measured& measured, std::string& why) {
    std::vector<double> ready;
    while (clients_.size() < end) {
      if (clients_.size() % told_every == 0) {
        subjects_.progress(
            fmt::format("{}: {} of {} sessions", target_.name, clients_.size(), options_.sessions));
      }
      StageTimes times;
      auto client = establish(target_, account_, *context_, times, why);
      if (client == nullptr) {
        why = fmt::format("session {}: {}", clients_.size() + 1, why);
        return false;
      }
      ready.push_back(times.ready());
      clients_.push_back(std::move(client));
    }
    measured.by_step.front().values.push_back(median(ready).value_or(0));
    measured.quantities.front().samples.add_round(std::move(ready));
    return true;
  }

  const Subjects& subjects_;
  const IdleOptions& options_;
  const Target& target_;
  Account account_;
  TlsContext context_;
  Clients clients_;
};

Measured nothing_yet(const Subjects& subjects) {
  Measured measured{.target = {},
                    .quantities = {{"ready", {}}},
                    .figures = {},
                    .by_step = {{"ready_p50", "us", {}}}};
  if (subjects.have_processes()) {
    measured.figures.push_back({"memory", "KiB a session", {}});
    measured.by_step.push_back(measured.figures.back());
  }
  return measured;
}

}  // namespace

std::vector<double> steps_of(const IdleOptions& options) {
  std::vector<double> steps;
  steps.reserve(options.steps);
  for (std::size_t step = 0; step < options.steps; ++step) {
    steps.push_back(static_cast<double>(end_of_step(options, step)));
  }
  return steps;
}

std::optional<std::vector<Measured>> measure_idle(const Subjects& subjects,
                                                  const IdleOptions& options, std::string& why) {
  const std::size_t needed = options.sessions + descriptors_beside;
  const std::size_t allowed = allow_descriptors();
  if (allowed < needed) {
    why = fmt::format(
        "{} sessions need {} open files, of which {} may be\n  hint: ulimit -n, or fewer "
        "--sessions",
        options.sessions, needed, allowed);
    return std::nullopt;
  }
  const auto turn = [&](const Target& target, Measured& measured, std::string& own_why) {
    Held held(subjects, options, target);
    if (!held.measure(measured, own_why)) return false;
    if (options.is_held) held.hold();
    held.close();
    return true;
  };
  return take_turns(subjects, 1, nothing_yet(subjects), turn, why);
}

}  // namespace gatehouse::bench
