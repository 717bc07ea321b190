#include "gateway/net/tls_memory.h"

#include <cstdlib>
#include <utility>

#include <openssl/crypto.h>

#include "gateway/assert.h"

namespace gatehouse {

namespace {

thread_local bool was_refused = false;

// As CRYPTO_malloc and CRYPTO_realloc are where nobody puts functions of his own in their place.
void* allocate(std::size_t size, const char* /*file*/, int /*line*/) noexcept {
  if (size == 0) return nullptr;
  void* memory = std::malloc(size);
  was_refused = was_refused || memory == nullptr;
  return memory;
}

void release(void* memory, const char* /*file*/, int /*line*/) noexcept {
  std::free(memory);
}

void* reallocate(void* memory, std::size_t size, const char* file, int line) noexcept {
  if (memory == nullptr) return allocate(size, file, line);
  if (size == 0) {
    release(memory, file, line);
    return nullptr;
  }
  void* moved = std::realloc(memory, size);
  was_refused = was_refused || moved == nullptr;
  return moved;
}

}  // namespace

void watch_tls_memory() noexcept {
  const bool is_first = CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
  GATEHOUSE_ASSERT(is_first);
}

bool tls_lacked_memory() noexcept {
  return std::exchange(was_refused, false);
}

}  // namespace gatehouse
