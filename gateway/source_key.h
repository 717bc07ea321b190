// Who a source is to tables that all workers share: how they know it again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "rules/ip_address.h"

namespace gatehouse {

// The same address in two networks is two sources.
struct SourceKey {
  std::string network;
  rules::IpAddress address;
  friend bool operator==(const SourceKey&, const SourceKey&) = default;
};

struct SourceKeyHash {
  std::size_t operator()(const SourceKey& key) const noexcept {
    const auto bits = key.address.bits();
    const std::size_t address =
        std::hash<std::uint64_t>{}(bits.high * 0x9E3779B97F4A7C15U ^ bits.low);
    return address * 31 + std::hash<std::string>{}(key.network);
  }
};

// A shard's map uses the low bits of a hash; the shard itself is chosen by others.
inline std::size_t shard_of_hash(std::size_t hash, std::size_t shard_count) noexcept {
  return (hash * 0x9E3779B97F4A7C15U >> 32) % shard_count;
}

}  // namespace gatehouse
