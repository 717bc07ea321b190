// Assertions for our own mistakes. On in release too: a gate in a state nobody thought of must
// not go on opening. Never for what a peer, a file or a library may do: a crash keeps everyone out.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace gatehouse {

[[noreturn]] inline void assertion_failed(const char* file, int line,
                                          const char* condition) noexcept {
  static_cast<void>(std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition));
  std::abort();
}

}  // namespace gatehouse

#define GATEHOUSE_ASSERT(condition)                    \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::gatehouse::assertion_failed(__FILE__, __LINE__, #condition))
