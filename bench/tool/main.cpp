// gatehouse-bench: what a front door costs, measured where it stands.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "bench/tool/connect.h"
#include "bench/tool/report.h"

namespace gatehouse::bench {

namespace {

constexpr int failed = 1;
constexpr int wrong_usage = 2;

constexpr const char* description =
    "gatehouse-bench: how long connections to databases take, through a front door or directly.\n"
    "Targets are taken in turn, round by round, so that a machine that is slow for a while is so\n"
    "for all of them. A percentile with too few samples behind it is not shown.\n";

constexpr const char* targets_help =
    "[NAME=]SCHEME://[USER@]HOST:PORT: mariadb, mariadb+plain, cql or cql+plain. The first one is\n"
    "what the others are compared with. TLS is not verified: CQL gives the password to whoever\n"
    "answers";

constexpr const char* exit_codes = "\nExit codes: 0 measured, 1 failed, 2 wrong usage.\n";

struct Output {
  bool is_json = false;
  std::string html;
};

struct Common {
  std::vector<std::string> targets;
  std::string user = "root";
  std::string password_file;
  Output output;
};

void add_common(CLI::App& command, Common& common) {
  command.add_option("targets", common.targets, targets_help)->required()->type_name("TARGET");
  command.add_option("--user", common.user, "Who logs in where a target names nobody")
      ->type_name("NAME")
      ->capture_default_str();
  command.add_option("--password-file", common.password_file, "His password, in its first line")
      ->type_name("FILE");
  static const std::map<std::string, bool> formats{{"text", false}, {"json", true}};
  command.add_option("--format", common.output.is_json, "text for people (default), or json")
      ->type_name("text|json")
      ->transform(CLI::CheckedTransformer(formats, CLI::ignore_case).description(""));
  command.add_option("--html", common.output.html, "Also write a page with curves and bars")
      ->type_name("FILE");
}

int fail(int code, const std::string& why) {
  fmt::print(stderr, "error: {}\n", why);
  return code;
}

bool read_targets(const Common& common, std::vector<Target>& targets) {
  for (const std::string& text : common.targets) {
    auto target = parse_target(text);
    if (!target) {
      fail(wrong_usage, fmt::format("not a target: {}\n  hint: mariadb://127.0.0.1:3306", text));
      return false;
    }
    targets.push_back(std::move(*target));
  }
  return true;
}

bool read_account(const Common& common, Account& account) {
  account.user = common.user;
  if (common.password_file.empty()) return true;
  std::ifstream file(common.password_file);
  if (std::getline(file, account.password)) return true;
  fail(failed, fmt::format("{} cannot be read", common.password_file));
  return false;
}

int show(const Report& report, const Output& output) {
  if (!output.html.empty()) {
    std::ofstream page(output.html);
    page << as_html(report);
    if (!page.flush()) return fail(failed, fmt::format("{} cannot be written", output.html));
  }
  fmt::print("{}", output.is_json ? as_json(report) : as_table(report));
  return 0;
}

// On a terminal, in place.
void show_progress(std::size_t round, std::size_t rounds, const std::string& target) {
  if (::isatty(STDERR_FILENO) == 0) return;
  fmt::print(stderr, "\r\x1b[Kround {} of {}: {}", round + 1, rounds, target);
}

void end_progress() {
  if (::isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\x1b[K");
}

int run_connect(const Common& common, ConnectOptions options) {
  if (!read_targets(common, options.targets)) return wrong_usage;
  if (!read_account(common, options.account)) return failed;
  std::string why;
  auto measured = measure_connect(
      options,
      [&](std::size_t round, const std::string& target) {
        show_progress(round, options.rounds, target);
      },
      why);
  end_progress();
  if (!measured) return fail(failed, why);
  const Report report{
      .command = fmt::format("connect, {} rounds of {} connections, {} at a time, {}",
                             options.rounds, options.connections, options.at_once,
                             options.is_resumed ? "TLS resumed" : "TLS in full"),
      .machine = this_machine(),
      .targets = std::move(*measured)};
  return show(report, common.output);
}

void add_connect(CLI::App& app, int& code) {
  auto common = std::make_shared<Common>();
  auto options = std::make_shared<ConnectOptions>();
  auto* command = app.add_subcommand(
      "connect", "Whole connections, a stage at a time: TCP, greeting, TLS, login, query, close");
  add_common(*command, *common);
  command->add_option("--rounds", options->rounds, "How often each target has its turn")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_option("--connections", options->connections, "Of each target in each round")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--at-once", options->at_once, "So many clients, a thread each")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  command->add_flag("--resumed", options->is_resumed, "Resume TLS by the last connection's ticket");
  command->callback([=, &code] { code = run_connect(*common, *options); });
}

int run(int argc, char** argv) {
  CLI::App app(description);
  app.footer(exit_codes);
  app.set_version_flag("--version", GATEHOUSE_VERSION);
  app.require_subcommand(1);
  int code = 0;
  add_connect(app, code);
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
