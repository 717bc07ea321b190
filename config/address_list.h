// Lists of addresses (*.netset): one address, block or range a line, '#' comments, blank lines.
#pragma once

#include <string_view>

#include "config/diagnostics.h"
#include "rules/range_set.h"

namespace gatehouse::config {

// `text` is a whole file named `file` in diagnostics. Errors carry line and column; after 20 of
// them in one file the rest are counted in one more. The set is complete only if no error was
// added.
[[nodiscard]] rules::RangeSet read_address_list(std::string_view text, const std::string& file,
                                                Diagnostics& diagnostics);

}  // namespace gatehouse::config
