#include "gateway/cli/output.h"

#include <algorithm>
#include <cstdio>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "gateway/observe/text.h"

namespace gatehouse::cli {

namespace {

// Characters, not bytes: everything printed is UTF-8.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

void print_json(const boost::json::value& value) {
  fmt::print("{}\n", printable_json(boost::json::serialize(value)));
}

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t column = 0; column < row.size(); ++column) {
      widths[column] = std::max(widths[column], width(row[column]));
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      line += row[column];
      if (column + 1 < row.size()) line.append(widths[column] - width(row[column]) + 2, ' ');
    }
    fmt::print("{}\n", line);
  }
}

void print_diagnostics(const std::vector<config::Diagnostic>& diagnostics) {
  for (const config::Diagnostic& diagnostic : diagnostics)
    fmt::print(stderr, "{}\n", to_string(diagnostic));
}

boost::json::value to_json(const rules::Rule* rule) {
  if (rule == nullptr) return nullptr;
  return {{"name", rule->name}, {"file", rule->origin.file}, {"line", rule->origin.line}};
}

std::string coloured(Colour colour, std::string_view text) {
  if (::isatty(STDOUT_FILENO) == 0) return std::string(text);
  return fmt::format("\033[{}m{}\033[0m", colour == Colour::good ? 32 : 31, text);
}

}  // namespace gatehouse::cli
