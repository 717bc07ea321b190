#include "config/range_problem.h"

#include <fmt/format.h>

#include "config/reader.h"

namespace gatehouse::config {

RangeProblem describe_problem(const rules::ParsedRange& parsed, std::string_view text) {
  const std::string written = in_quotes(text);
  switch (parsed.error.value_or(rules::RangeError::malformed)) {
    case rules::RangeError::malformed:
      return {written + " is not an address, a block or a range",
              "write it like 203.0.113.7, 203.0.113.0/26 or 203.0.113.5-203.0.113.9"};
    case rules::RangeError::prefix_too_long:
      return {written + " has too long a prefix", "IPv4 goes up to /32, IPv6 up to /128"};
    case rules::RangeError::host_bits:
      return {written + " has bits set beyond its prefix",
              fmt::format("write {} to mean the whole block", parsed.range.to_string())};
    case rules::RangeError::reversed:
      return {written + " starts after it ends", "the lower address comes first"};
    case rules::RangeError::mixed_families:
      return {written + " mixes IPv4 and IPv6", "write one range for each"};
    case rules::RangeError::unspecified:
      return {written + " is nobody's address",
              "on Azure it stands for all of Azure; here one lists the addresses that are meant"};
  }
  return {};
}

}  // namespace gatehouse::config
