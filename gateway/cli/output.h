// What commands print: tables and diagnostics for people, JSON for programs.
#pragma once

#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "config/diagnostics.h"
#include "rules/policy.h"

namespace gatehouse::cli {

void print_json(const boost::json::value& value);

// Columns as wide as their widest cell, two blanks between. The first row is the heading.
void print_table(const std::vector<std::vector<std::string>>& rows);

// On stderr, one a line.
void print_diagnostics(const std::vector<config::Diagnostic>& diagnostics);

// {name, file, line}, or null.
[[nodiscard]] boost::json::value to_json(const rules::Rule* rule);

// `text` between the codes that make it green or red, if stdout is a terminal.
enum class Colour { good, bad };
[[nodiscard]] std::string coloured(Colour colour, std::string_view text);

}  // namespace gatehouse::cli
