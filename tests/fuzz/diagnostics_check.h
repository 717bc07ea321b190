// What must hold of every list of diagnostics, whatever an operator wrote.
#pragma once

#include <algorithm>
#include <string>

#include "config/diagnostics.h"
#include "tests/fuzz/require.h"

namespace gatehouse::fuzz {

inline void check(const config::Diagnostics& diagnostics) {
  for (const config::Diagnostic& diagnostic : diagnostics.all()) {
    require(diagnostic.at.line >= 1 && diagnostic.at.column >= 1, "places count from 1");
    require(!diagnostic.message.empty(), "a diagnostic says something");
    const std::string text = to_string(diagnostic);
    const auto lines = 1 + std::ranges::count(text, '\n');
    require(lines == (diagnostic.hint.empty() ? 1 : 2),
            "a diagnostic is a line, or two with a hint");
    require(std::ranges::none_of(
                text, [](char c) { return (c >= 0 && c < ' ' && c != '\n') || c == '\x7F'; }),
            "nothing written by an operator reaches the terminal as a control character");
  }
}

}  // namespace gatehouse::fuzz
