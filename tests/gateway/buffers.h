// What tests of codecs do to bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "gateway/bytes.h"

namespace gatehouse::test {

using Buffer = std::vector<std::uint8_t>;

// REQUIRES: pairs of hexadecimal digits and, anywhere between them, spaces.
inline Buffer from_hex(std::string_view text) {
  const auto digit = [](char character) {
    return character <= '9' ? character - '0' : character - 'a' + 10;
  };
  Buffer bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    bytes.push_back(static_cast<std::uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
    ++i;
  }
  return bytes;
}

inline Buffer copy(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

// Calls `visit` with every proper prefix, each in memory of its own so that a sanitizer sees a read
// beyond it.
template <typename Visit>
void for_each_prefix(Bytes whole, Visit visit) {
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Buffer prefix = copy(whole.first(size));
    visit(Bytes(prefix));
  }
}

}  // namespace gatehouse::test
