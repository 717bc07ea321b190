// Which processor figures were measured on.
#pragma once

#include <string>

namespace gatehouse::bench {

// As the kernel calls it.
[[nodiscard]] std::string processor();

}  // namespace gatehouse::bench
