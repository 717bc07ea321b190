// What all commands of gatehouse-bench have in common on the command line, and in what they show.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "bench/tool/report.h"
#include "bench/tool/rounds.h"

namespace gatehouse::bench {

inline constexpr int failed = 1;
inline constexpr int wrong_usage = 2;

// Tells people, and returns the code.
int fail(int code, const std::string& why);

struct Common {
  std::vector<std::string> targets;
  std::vector<std::string> processes;
  std::string user = "root";
  std::string password_file;
  bool is_json = false;
  std::string html;
};
void add_common(CLI::App& command, Common& common);

// 0, or the code to exit with, once people have been told.
[[nodiscard]] int read_subjects(const Common& common, Subjects& subjects);

// Shows what was measured, or why it was not; the code to exit with.
struct Result {
  std::string command;
  std::optional<std::vector<Measured>> measured{};
  std::string why{};
  std::string step_unit{};
  std::vector<double> steps{};
};
[[nodiscard]] int show(Result result, const Common& common);

}  // namespace gatehouse::bench
