// gatehouse-bench: what a front door costs, measured where it stands.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/tool/bulk.h"
#include "bench/tool/command_line.h"
#include "bench/tool/connect.h"
#include "bench/tool/deny.h"
#include "bench/tool/idle.h"
#include "bench/tool/query.h"
#include "bench/tool/stub.h"

namespace gatehouse::bench {

namespace {

constexpr const char* description =
    "gatehouse-bench: how long connections to databases take, through a front door or directly.\n"
    "Targets are taken in turn, round by round, so that a machine that is slow for a while is so\n"
    "for all of them. A percentile with too few samples behind it is not shown.\n";

constexpr const char* exit_codes = "\nExit codes: 0 measured, 1 failed, 2 wrong usage.\n";

void add_rounds(CLI::App& command, std::size_t& rounds) {
  command.add_option("--rounds", rounds, "How often each target has its turn")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
}

void add_at_once(CLI::App& command, std::size_t& at_once, const char* help) {
  command.add_option("--at-once", at_once, help)
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
}

// Measures `result`'s command with what it has in common with others, and shows what was found.
template <typename Options, typename Measure>
int run_measurement(const Common& common, const Options& options, const Measure& measure,
                    Result result) {
  Subjects subjects;
  if (const int code = read_subjects(common, subjects); code != 0) return code;
  result.measured = measure(subjects, options, result.why);
  return show(std::move(result), common);
}

int run_connect(const Common& common, const ConnectOptions& options) {
  return run_measurement(
      common, options, measure_connect,
      {.command = fmt::format("connect, {} rounds of {} connections, {} at a time, {}",
                              options.rounds, options.connections, options.at_once,
                              options.is_resumed ? "TLS resumed" : "TLS in full")});
}

void add_connect(CLI::App& app, int& code) {
  auto common = std::make_shared<Common>();
  auto options = std::make_shared<ConnectOptions>();
  auto* command = app.add_subcommand(
      "connect", "Whole connections, a stage at a time: TCP, greeting, TLS, login, query, close");
  add_common(*command, *common);
  add_rounds(*command, options->rounds);
  command->add_option("--connections", options->connections, "Of each target in each round")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  add_at_once(*command, options->at_once, "So many clients, a thread each");
  command->add_flag("--resumed", options->is_resumed, "Resume TLS by the last connection's ticket");
  command->callback([=, &code] { code = run_connect(*common, *options); });
}

int run_query(const Common& common, const QueryOptions& options) {
  return run_measurement(
      common, options, measure_queries,
      {.command = fmt::format("query, {} rounds of {} requests, {} sessions at a time",
                              options.rounds, options.requests, options.at_once)});
}

void add_query(CLI::App& app, int& code) {
  auto common = std::make_shared<Common>();
  auto options = std::make_shared<QueryOptions>();
  auto* command = app.add_subcommand("query", "Round trips over sessions that are established");
  add_common(*command, *common);
  add_rounds(*command, options->rounds);
  command->add_option("--requests", options->requests, "Of each target in each round")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  add_at_once(*command, options->at_once, "So many sessions, a thread each");
  command->callback([=, &code] { code = run_query(*common, *options); });
}

int run_bulk(const Common& common, const BulkOptions& options) {
  return run_measurement(
      common, options, measure_bulk,
      {.command = fmt::format("bulk, {} rounds of {} MB, {} sessions at a time", options.rounds,
                              options.megabytes, options.at_once)});
}

void add_bulk(CLI::App& app, int& code) {
  auto common = std::make_shared<Common>();
  auto options = std::make_shared<BulkOptions>();
  auto* command = app.add_subcommand(
      "bulk", "Bytes through established sessions: large answers of MariaDB, or of the stub");
  add_common(*command, *common);
  add_rounds(*command, options->rounds);
  command->add_option("--megabytes", options->megabytes, "Of each target in each round")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  add_at_once(*command, options->at_once, "So many sessions, a thread each");
  command->callback([=, &code] { code = run_bulk(*common, *options); });
}

int run_idle(const Common& common, const IdleOptions& options) {
  return run_measurement(
      common, options, measure_idle,
      {.command = fmt::format("idle, {} sessions in {} steps", options.sessions, options.steps),
       .step_unit = "sessions",
       .steps = steps_of(options)});
}

void add_idle(CLI::App& app, int& code) {
  auto common = std::make_shared<Common>();
  auto options = std::make_shared<IdleOptions>();
  auto* command = app.add_subcommand(
      "idle", "Sessions that are opened and held: how set-ups and, with --process, memory grow");
  add_common(*command, *common);
  command->add_option("--sessions", options->sessions, "At each target, one after the other")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--steps", options->steps, "How often is looked on the way there")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command->add_flag("--hold", options->is_held, "Hold each target's sessions until Ctrl-C");
  command->callback([=, &code] {
    const bool fits = options->steps <= options->sessions;
    code = fits ? run_idle(*common, *options)
                : fail(wrong_usage, "there are more steps than sessions");
  });
}

int run_deny(const Common& common, const DenyOptions& options) {
  return run_measurement(
      common, options, measure_deny,
      {.command = fmt::format("deny, {} rounds of {} s, {} refused clients at a time",
                              options.rounds, options.seconds, options.at_once)});
}

constexpr const char* deny_help =
    "A flood of sources that are refused beside one that is let in, connection after connection:\n"
    "each target's turn is the latter alone, then both, then (with --process) the flood alone";

void add_deny(CLI::App& app, int& code) {
  auto common = std::make_shared<Common>();
  auto options = std::make_shared<DenyOptions>();
  auto* command = app.add_subcommand("deny", deny_help);
  add_common(*command, *common);
  command->add_option("--refused-from", options->refused_from, "The flood's address")
      ->required()
      ->type_name("ADDRESS");
  auto* allowed_from =
      command->add_option("--allowed-from", options->allowed_from, "The other one's")
          ->type_name("ADDRESS");
  command
      ->add_flag("--flood-alone", options->is_flood_alone,
                 "Nobody is let in: the rate of refusals and, with --process, what one costs")
      ->excludes(allowed_from);
  add_rounds(*command, options->rounds);
  command->add_option("--seconds", options->seconds, "Of each part of a turn")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  add_at_once(*command, options->at_once, "So many refused clients, a thread each");
  command->callback([=, &code] { code = run_deny(*common, *options); });
}

constexpr const char* stub_help =
    "A node of Cassandra that answers at once, to be measured through front doors: in plaintext,\n"
    "on 127.0.0.1, without login, with the answers that gatehouse-bench and Gatehouse ask for. "
    "Says\n"
    "`listening ADDRESS`, and ends on SIGTERM or Ctrl-C";

void add_stub(CLI::App& app, int& code) {
  auto port = std::make_shared<std::uint16_t>(0);
  auto* command = app.add_subcommand("stub", stub_help);
  command->add_option("--port", *port, "Where it listens; 0: on any free port")
      ->capture_default_str();
  command->callback([=, &code] {
    std::string why;
    if (!run_stub(*port, why)) code = fail(failed, why);
  });
}

int run(int argc, char** argv) {
  CLI::App app(description);
  app.footer(exit_codes);
  app.set_version_flag("--version", GATEHOUSE_VERSION);
  app.require_subcommand(1);
  int code = 0;
  add_connect(app, code);
  add_query(app, code);
  add_bulk(app, code);
  add_idle(app, code);
  add_deny(app, code);
  add_stub(app, code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : wrong_usage;
  }
  return code;
}

}  // namespace

}  // namespace gatehouse::bench

int main(int argc, char** argv) {
  try {
    return gatehouse::bench::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
}
