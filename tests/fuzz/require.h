// How a fuzz target says that something which must always hold does not.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace gatehouse::fuzz {

// Ends the process, which the fuzzer takes for a crash and keeps the input of.
inline void require(bool holds, const char* what) {
  if (holds) return;
  static_cast<void>(std::fprintf(stderr, "does not hold: %s\n", what));
  std::abort();
}

}  // namespace gatehouse::fuzz
