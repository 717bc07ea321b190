#include "bench/tool/query.h"

#include <utility>

#include "bench/tool/established.h"

namespace gatehouse::bench {

namespace {

Measured nothing_yet(const Subjects& subjects) {
  Measured measured{.target = {},
                    .quantities = {{"query", {}}},
                    .figures = {{"rate", "requests/s", {}}},
                    .by_step = {}};
  if (subjects.have_processes()) measured.figures.push_back({"cpu", "us a request", {}});
  return measured;
}

bool ask(Client& client, std::vector<double>& times, std::string& why) {
  for (double& time : times) {
    const auto start = Clock::now();
    if (!client.query()) {
      why = client.why();
      return false;
    }
    time = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
  }
  return true;
}

bool measure_turn(const Subjects& subjects, const QueryOptions& options, const Target& target,
                  Measured& measured, std::string& why) {
  Clients clients;
  if (!establish(subjects, target, options.at_once, clients, why)) return false;
  std::vector<std::vector<double>> times;
  for (std::size_t number = 0; number < options.at_once; ++number) {
    times.emplace_back(share(options.requests, options.at_once, number));
  }
  const Meter meter(target);
  const auto work = [&](std::size_t number, std::string& own_why) {
    return ask(*clients[number], times[number], own_why);
  };
  if (!at_once(options.at_once, work, why)) return false;
  const auto count = static_cast<double>(options.requests);
  measured.figures.front().values.push_back(count / meter.seconds());
  if (!meter.add_cpu(measured.figures.back(), count, why)) return false;
  std::vector<double> all;
  for (const auto& own : times) all.insert(all.end(), own.begin(), own.end());
  measured.quantities.front().samples.add_round(std::move(all));
  for (const auto& client : clients) client->close();
  return true;
}

}  // namespace

std::optional<std::vector<Measured>> measure_queries(const Subjects& subjects,
                                                     const QueryOptions& options,
                                                     std::string& why) {
  const auto turn = [&](const Target& target, Measured& measured, std::string& own_why) {
    return measure_turn(subjects, options, target, measured, own_why);
  };
  return take_turns(subjects, options.rounds, nothing_yet(subjects), turn, why);
}

}  // namespace gatehouse::bench
