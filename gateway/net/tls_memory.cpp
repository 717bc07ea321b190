#include "gateway/net/tls_memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <malloc.h>
#include <openssl/crypto.h>

#include "gateway/assert.h"
#include "gateway/net/tls_library.h"

namespace gatehouse {

namespace {

thread_local bool was_refused = false;

// Below, what the libraries' own functions do where nobody puts others in their place.

void* allocate(std::size_t size, const char* /*file*/, int /*line*/) noexcept {
  if (tls_library::nothing_is_null && size == 0) return nullptr;
  void* memory = std::malloc(size);
  was_refused = was_refused || memory == nullptr;
  return memory;
}

void release(void* memory, const char* /*file*/, int /*line*/) noexcept {
  if (tls_library::wipes_what_it_frees && memory != nullptr) {
    OPENSSL_cleanse(memory, ::malloc_usable_size(memory));
  }
  std::free(memory);
}

void* reallocate(void* memory, std::size_t size, const char* file, int line) noexcept {
  if (memory == nullptr) return allocate(size, file, line);
  if (size == 0) {
    release(memory, file, line);
    return nullptr;
  }
  void* moved = allocate(size, file, line);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, memory, std::min(size, ::malloc_usable_size(memory)));
  release(memory, file, line);
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
