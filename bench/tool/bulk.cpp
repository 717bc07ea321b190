#include "bench/tool/bulk.h"

#include "bench/tool/established.h"
#include "bench/tool/stub_answers.h"

namespace gatehouse::bench {

namespace {

static_assert(bulk_size == 1'000'000, "an answer is a megabyte");

Measured nothing_yet(const Subjects& subjects) {
  Measured measured{
      .target = {}, .quantities = {}, .figures = {{"rate", "MB/s", {}}}, .by_step = {}};
  // Microseconds a megabyte are milliseconds a gigabyte.
  if (subjects.have_processes()) measured.figures.push_back({"cpu", "ms a GB", {}});
  return measured;
}

bool take(Client& client, std::size_t megabytes, std::string& why) {
  for (std::size_t taken = 0; taken < megabytes; ++taken) {
    if (client.query_bulk()) continue;
    why = client.why();
    return false;
  }
  return true;
}

bool measure_turn(const Subjects& subjects, const BulkOptions& options, const Target& target,
                  Measured& measured, std::string& why) {
  Clients clients;
  if (!establish(subjects, target, options.at_once, clients, why)) return false;
  const Meter meter(target);
  const auto work = [&](std::size_t number, std::string& own_why) {
    return take(*clients[number], share(options.megabytes, options.at_once, number), own_why);
  };
  if (!at_once(options.at_once, work, why)) return false;
  const auto count = static_cast<double>(options.megabytes);
  measured.figures.front().values.push_back(count / meter.seconds());
  if (!meter.add_cpu(measured.figures.back(), count, why)) return false;
  for (const auto& client : clients) client->close();
  return true;
}

}  // namespace

std::optional<std::vector<Measured>> measure_bulk(const Subjects& subjects,
                                                  const BulkOptions& options, std::string& why) {
  const auto turn = [&](const Target& target, Measured& measured, std::string& own_why) {
    return measure_turn(subjects, options, target, measured, own_why);
  };
  return take_turns(subjects, options.rounds, nothing_yet(subjects), turn, why);
}

}  // namespace gatehouse::bench
