// What to say of an address, block or range that cannot stand in a rule.
#pragma once

#include <string>
#include <string_view>

#include "rules/ip_address.h"

namespace gatehouse::config {

struct RangeProblem {
  std::string message;
  std::string hint;  // may be empty
};

// REQUIRES: parsed.error is set. `text` is what was parsed.
[[nodiscard]] RangeProblem describe_problem(const rules::ParsedRange& parsed,
                                            std::string_view text);

}  // namespace gatehouse::config
