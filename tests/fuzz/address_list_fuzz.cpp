// Lists of addresses (*.netset).
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/address_list.h"
#include "rules/range_set.h"
#include "tests/fuzz/diagnostics_check.h"
#include "tests/fuzz/require.h"

using gatehouse::fuzz::require;
using gatehouse::rules::IpRange;
using gatehouse::rules::RangeSet;

namespace {

// Appends the ranges as a list would have them, checking that they are in order and found.
template <typename Ranges>
void write_down(const Ranges& ranges, const RangeSet& set, std::string& list) {
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    require(ranges[i].first <= ranges[i].last, "a range does not end before it starts");
    require(i == 0 || ranges[i - 1].last < ranges[i].first, "ranges are sorted and disjoint");
    const IpRange range = to_ip_range(ranges[i]);
    require(set.contains(range.first) && set.contains(range.last), "a set has its own borders");
    list += range.first.to_string() + "-" + range.last.to_string() + "\n";
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  gatehouse::config::Diagnostics diagnostics;
  const RangeSet set = gatehouse::config::read_address_list(text, "fuzz.netset", diagnostics);
  gatehouse::fuzz::check(diagnostics);
  if (diagnostics.has_errors()) return 0;

  std::string list;
  write_down(set.v4(), set, list);
  write_down(set.v6(), set, list);
  const RangeSet again = gatehouse::config::read_address_list(list, "again.netset", diagnostics);
  require(!diagnostics.has_errors() && again == set, "a set written down reads as itself");
  return 0;
}
