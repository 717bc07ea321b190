// How many connections this process may have open.
#pragma once

#include <cstddef>

namespace gatehouse::bench {

// Raises the limit as far as may be; so many files may be open from then on.
std::size_t allow_descriptors();

}  // namespace gatehouse::bench
