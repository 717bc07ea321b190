// Who looks at what a relay passes, and may change it.
#pragma once

#include <cstdint>
#include <span>

namespace gatehouse {

class RelayFilter {
 public:
  // When the same function is called next.
  enum class Next {
    on_bytes,  // with the next bytes
    // With no bytes: there is more to be made of those it has, once what it made now is written.
    again,
    // With no bytes, once the other function was called: it has bytes that must not pass yet.
    after_other,
    // Never: the relay ends as `intercepted` once all before it is written.
    stop,
  };
  // All bytes live until the next call of either function.
  struct Result {
    std::span<const std::uint8_t> to_backend{};
    std::span<const std::uint8_t> to_client{};
    Next next = Next::on_bytes;
  };

  virtual ~RelayFilter() = default;
  // What the client has sent. Throws std::bad_alloc: the relay is then aborted.
  virtual Result from_client(std::span<const std::uint8_t> chunk) = 0;
  // What the backend has sent; likewise.
  virtual Result from_backend(std::span<const std::uint8_t> chunk) { return {.to_client = chunk}; }
};

}  // namespace gatehouse
