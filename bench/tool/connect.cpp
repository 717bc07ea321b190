#include "bench/tool/connect.h"

#include <mutex>
#include <thread>

#include <fmt/format.h>

namespace gatehouse::bench {

namespace {

// Of one target in one round, from all threads.
struct Round {
  std::mutex mutex;
  std::vector<StageTimes> times;
  std::string why;  // the first failure
};

// One connection after the other, in a thread of its own.
class Worker {
 public:
  Worker(const ConnectOptions& options, const Target& target)
      : options_(options), target_(target), account_(options.account), context_(client_context()) {
    if (!target.user.empty()) account_.user = target.user;
  }

  // False: one failed.
  bool run(std::size_t connections, Round& round) {
    if (context_ == nullptr) return keep_failure(round, "no memory");
    if (options_.is_resumed && target_.is_tls) {
      StageTimes ignored;
      if (!connect(ignored, round)) return false;
    }
    for (std::size_t count = 0; count < connections; ++count) {
      StageTimes times;
      if (!connect(times, round)) return false;
      const std::lock_guard lock(round.mutex);
      round.times.push_back(times);
    }
    return true;
  }

 private:
  bool connect(StageTimes& times, Round& round) {
    const auto client = make_client(target_.protocol);
    if (!client->log_in(target_, account_, {}, *context_, ticket_.get(), times) ||
        !client->query()) {
      return keep_failure(round, client->why());
    }
    times.mark(Stage::query);
    if (ticket_ != nullptr && !client->channel().was_resumed()) {
      return keep_failure(round, "it did not resume TLS by the ticket that it gave");
    }
    if (options_.is_resumed && target_.is_tls) {
      ticket_ = client->channel().take_session();
      if (ticket_ == nullptr) return keep_failure(round, "it gives no ticket to resume TLS by");
    }
    client->close();
    times.mark(Stage::close);
    return true;
  }

  static bool keep_failure(Round& round, const std::string& why) {
    const std::lock_guard lock(round.mutex);
    if (round.why.empty()) round.why = why;
    return false;
  }

  const ConnectOptions& options_;
  const Target& target_;
  Account account_;
  TlsContext context_;
  TlsSession ticket_;
};

void run_round(const ConnectOptions& options, const Target& target, Round& round) {
  std::vector<std::jthread> threads;
  for (std::size_t number = 0; number < options.at_once; ++number) {
    const std::size_t share = options.connections / options.at_once +
                              (number < options.connections % options.at_once ? 1 : 0);
    threads.emplace_back([&, share] { Worker(options, target).run(share, round); });
  }
}

std::vector<Quantity> all_quantities() {
  std::vector<Quantity> quantities{{"ready", {}}, {"total", {}}};
  for (const auto name : stage_names) quantities.push_back({std::string(name), {}});
  return quantities;
}

void add(Measured& measured, const std::vector<StageTimes>& all) {
  for (Quantity& quantity : measured.quantities) quantity.samples.begin_round();
  for (const StageTimes& times : all) {
    measured.quantities[0].samples.add(times.ready());
    measured.quantities[1].samples.add(times.total());
    for (std::size_t stage = 0; stage < stage_count; ++stage) {
      measured.quantities[2 + stage].samples.add(times.of(static_cast<Stage>(stage)));
    }
  }
}

}  // namespace

std::optional<std::vector<Measured>> measure_connect(const ConnectOptions& options,
                                                     const Progress& progress, std::string& why) {
  std::vector<Measured> results;
  results.reserve(options.targets.size());
  for (const Target& target : options.targets) results.push_back({target.name, all_quantities()});
  for (std::size_t number = 0; number < options.rounds; ++number) {
    for (std::size_t turn = 0; turn < options.targets.size(); ++turn) {
      const std::size_t at = (number + turn) % options.targets.size();
      progress(number, options.targets[at].name);
      Round round;
      run_round(options, options.targets[at], round);
      if (!round.why.empty()) {
        why = fmt::format("{}: {}", options.targets[at].name, round.why);
        return std::nullopt;
      }
      add(results[at], round.times);
    }
  }
  return results;
}

}  // namespace gatehouse::bench
