#include "bench/tool/command_line.h"

#include <cstdio>
#include <fstream>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace gatehouse::bench {

namespace {

constexpr const char* targets_help =
    "[NAME=]SCHEME://[USER@]HOST:PORT: mariadb, mariadb+plain, cql or cql+plain. The first one is\n"
    "what the others are compared with. TLS is not verified: CQL gives the password to whoever\n"
    "answers";

constexpr const char* processes_help =
    "TARGET=PID[,PID...]: whose processor time to account for, by the name of a target; repeatable";

// On a terminal, in place; nothing ends it.
void show_progress(const std::string& what) {
  if (::isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\x1b[K{}", what);
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
  for (const std::string& text : common.processes) {
    if (!take_processes(text, targets)) {
      fail(wrong_usage,
           fmt::format("not the name of a target and its processes: {}\n  hint: --process "
                       "{}=1234",
                       text, targets.front().name));
      return false;
    }
  }
  return true;
}

bool processes_are_there(const std::vector<Target>& targets) {
  for (const Target& target : targets) {
    if (!CpuMeter(target.processes).microseconds()) {
      fail(failed, fmt::format("{}: there is no process of the number given", target.name));
      return false;
    }
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

}  // namespace

int fail(int code, const std::string& why) {
  fmt::print(stderr, "error: {}\n", why);
  return code;
}

void add_common(CLI::App& command, Common& common) {
  command.add_option("targets", common.targets, targets_help)->required()->type_name("TARGET");
  command.add_option("--process", common.processes, processes_help)
      ->type_name("TARGET=PID")
      ->allow_extra_args(false);
  command.add_option("--user", common.user, "Who logs in where a target names nobody")
      ->type_name("NAME")
      ->capture_default_str();
  command.add_option("--password-file", common.password_file, "His password, in its first line")
      ->type_name("FILE");
  static const std::map<std::string, bool> formats{{"text", false}, {"json", true}};
  command.add_option("--format", common.is_json, "text for people (default), or json")
      ->type_name("text|json")
      ->transform(CLI::CheckedTransformer(formats, CLI::ignore_case).description(""));
  command.add_option("--html", common.html, "Also write a page with curves and bars")
      ->type_name("FILE");
}

int read_subjects(const Common& common, Subjects& subjects) {
  if (!read_targets(common, subjects.targets)) return wrong_usage;
  if (!processes_are_there(subjects.targets)) return failed;
  if (!read_account(common, subjects.account)) return failed;
  subjects.progress = show_progress;
  return 0;
}

int show(Result result, const Common& common) {
  show_progress({});
  if (!result.measured) return fail(failed, result.why);
  const Report report{.command = std::move(result.command),
                      .machine = this_machine(),
                      .targets = std::move(*result.measured),
                      .step_unit = std::move(result.step_unit),
                      .steps = std::move(result.steps)};
  if (!common.html.empty()) {
    std::ofstream page(common.html);
    page << as_html(report);
    if (!page.flush()) return fail(failed, fmt::format("{} cannot be written", common.html));
  }
  fmt::print("{}", common.is_json ? as_json(report) : as_table(report));
  return 0;
}

}  // namespace gatehouse::bench
