#include "bench/tool/deny.h"

#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/tool/connector.h"

namespace gatehouse::bench {

namespace {

// The flood gives way to whoever is let in: what makes him wait is the target, and not that both
// clients are on one machine.
constexpr int niceness = 10;
constexpr std::chrono::milliseconds moment{1};

// Clients that are turned away, as fast as they come.
class Flood {
 public:
  // All must outlive it.
  Flood(const Subjects& subjects, const DenyOptions& options, const Target& target)
      : target_(target),
        account_(subjects.account_of(target)),
        source_(options.refused_from),
        context_(client_context()) {
    for (std::size_t number = 0; number < options.at_once; ++number) {
      threads_.emplace_back([this] { run(); });
    }
  }

  // Waits until the last one was turned away: one was at least. False: one was let in, or did not
  // get that far.
  bool stop(std::string& why) {
    ends_ = true;
    threads_.clear();
    if (count_ == 0 && why_.empty()) why_ = "nobody was turned away";
    if (!why_.empty()) why = fmt::format("from {}: {}", source_, why_);
    return why_.empty();
  }

  [[nodiscard]] double count() const noexcept { return static_cast<double>(count_); }

 private:
  void run() {
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
    while (!ends_) {
      const auto client = make_client(target_.protocol);
      StageTimes ignored;
      const bool is_connected = client->connect(target_, source_, ignored);
      // Where clients speak first, who is told anything before is told no. To begin TLS would cost
      // a client more than that costs the target.
      if (is_connected && target_.protocol == Protocol::cql &&
          client->channel().hears_within(moment)) {
        ++count_;
        continue;
      }
      if (is_connected && client->log_in(target_, account_, *context_, nullptr, ignored)) {
        return give_up("it was let in");
      }
      if (!client->channel().was_turned_away()) return give_up(client->why());
      ++count_;
    }
  }

  void give_up(const std::string& why) {
    const std::lock_guard lock(mutex_);
    why_ = why;
    ends_ = true;
  }

  const Target& target_;
  Account account_;
  const std::string& source_;
  TlsContext context_;
  std::atomic<bool> ends_ = false;
  std::atomic<std::size_t> count_ = 0;
  std::mutex mutex_;
  std::string why_;
  std::vector<std::jthread> threads_;
};

// Where each of them is in what is measured, if it is.
enum Quantities { alone, flooded };
enum Figures { rate, moved_p50, moved_p99 };  // and the last one of all: what a refusal costs

Measured nothing_yet(const Subjects& subjects, const DenyOptions& options) {
  Measured measured{
      .target = {}, .quantities = {}, .figures = {{"rate", "refusals/s", {}}}, .by_step = {}};
  if (!options.is_flood_alone) {
    measured.quantities = {{"alone", {}}, {"flooded", {}}};
    measured.figures.push_back({"moved_p50", "times", {}});
    measured.figures.push_back({"moved_p99", "times", {}});
  }
  if (subjects.have_processes()) measured.figures.push_back({"cpu", "us a refusal", {}});
  return measured;
}

class Round {
 public:
  Round(const Subjects& subjects, const DenyOptions& options, const Target& target)
      : subjects_(subjects), options_(options), target_(target) {}

  bool measure(Measured& measured, std::string& why) {
    if (options_.is_flood_alone) return only_flood(measured, why);
    if (!be_alone(measured, why) || !be_flooded(measured, why)) return false;
    return target_.processes.empty() || only_flood(measured, why);
  }

 private:
  bool be_alone(Measured& measured, std::string& why) {
    std::vector<double> times;
    if (!let_in(times, why)) return false;
    median_ = median(times).value_or(0);
    measured.quantities[alone].samples.add_round(std::move(times));
    return true;
  }

  bool be_flooded(Measured& measured, std::string& why) {
    std::vector<double> times;
    const Meter meter(target_);
    Flood flood(subjects_, options_, target_);
    const bool is_let_in = let_in(times, why);
    if (!flood.stop(why) || !is_let_in) return false;
    measured.figures[rate].values.push_back(flood.count() / meter.seconds());
    measured.figures[moved_p50].values.push_back(median(times).value_or(0) / median_);
    measured.quantities[flooded].samples.add_round(std::move(times));
    return true;
  }

  // What a refusal costs shows only where there is nothing else.
  bool only_flood(Measured& measured, std::string& why) const {
    const Meter meter(target_);
    Flood flood(subjects_, options_, target_);
    std::this_thread::sleep_for(std::chrono::seconds(options_.seconds));
    if (!flood.stop(why)) return false;
    if (options_.is_flood_alone) {
      measured.figures[rate].values.push_back(flood.count() / meter.seconds());
    }
    return meter.add_cpu(measured.figures.back(), flood.count(), why);
  }

  // One after the other for the time given, and once at least.
  bool let_in(std::vector<double>& times, std::string& why) const {
    Connector connector(subjects_, target_, options_.allowed_from, false);
    const auto end = Clock::now() + std::chrono::seconds(options_.seconds);
    do {
      StageTimes stages;
      if (!connector.connect(stages, why)) return false;
      times.push_back(stages.ready());
    } while (Clock::now() < end);
    return true;
  }

  const Subjects& subjects_;
  const DenyOptions& options_;
  const Target& target_;
  double median_ = 0;
};

}  // namespace

std::optional<std::vector<Measured>> measure_deny(const Subjects& subjects,
                                                  const DenyOptions& options, std::string& why) {
  const auto turn = [&](const Target& target, Measured& measured, std::string& own_why) {
    return Round(subjects, options, target).measure(measured, own_why);
  };
  auto results = take_turns(subjects, options.rounds, nothing_yet(subjects, options), turn, why);
  if (!results || options.is_flood_alone) return results;
  // A round has too few samples for it.
  for (Measured& measured : *results) {
    const auto before = measured.quantities[alone].samples.percentile(0.99);
    const auto after = measured.quantities[flooded].samples.percentile(0.99);
    if (before && after) measured.figures[moved_p99].values = {*after / *before};
  }
  return results;
}

}  // namespace gatehouse::bench
