#include "bench/tool/connect.h"

#include <mutex>

#include "bench/tool/connector.h"

namespace gatehouse::bench {

namespace {

Measured nothing_yet(const Subjects& subjects) {
  Measured measured{.target = {},
                    .quantities = {{"ready", {}}, {"total", {}}},
                    .figures = {{"rate", "connections/s", {}}},
                    .by_step = {}};
  for (const auto name : stage_names) measured.quantities.push_back({std::string(name), {}});
  if (subjects.have_processes()) measured.figures.push_back({"cpu", "us a connection", {}});
  return measured;
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

// Each of `connectors` in a thread.
bool connect_all(std::vector<Connector>& connectors, std::size_t connections,
                 std::vector<StageTimes>& all, std::string& why) {
  std::mutex mutex;
  return at_once(
      connectors.size(),
      [&](std::size_t number, std::string& own_why) {
        std::vector<StageTimes> own(share(connections, connectors.size(), number));
        for (StageTimes& times : own) {
          if (!connectors[number].connect(times, own_why)) return false;
        }
        const std::lock_guard lock(mutex);
        all.insert(all.end(), own.begin(), own.end());
        return true;
      },
      why);
}

bool measure_turn(const Subjects& subjects, const ConnectOptions& options, const Target& target,
                  Measured& measured, std::string& why) {
  std::vector<Connector> connectors;
  connectors.reserve(options.at_once);
  for (std::size_t number = 0; number < options.at_once; ++number) {
    connectors.emplace_back(subjects, target, std::string(), options.is_resumed);
    if (!connectors.back().prepare(why)) return false;
  }
  std::vector<StageTimes> all;
  const Meter meter(target);
  if (!connect_all(connectors, options.connections, all, why)) return false;
  const auto count = static_cast<double>(all.size());
  measured.figures[0].values.push_back(count / meter.seconds());
  if (!meter.add_cpu(measured.figures.back(), count, why)) return false;
  add(measured, all);
  return true;
}

}  // namespace

std::optional<std::vector<Measured>> measure_connect(const Subjects& subjects,
                                                     const ConnectOptions& options,
                                                     std::string& why) {
  const auto turn = [&](const Target& target, Measured& measured, std::string& own_why) {
    return measure_turn(subjects, options, target, measured, own_why);
  };
  return take_turns(subjects, options.rounds, nothing_yet(subjects), turn, why);
}

}  // namespace gatehouse::bench
