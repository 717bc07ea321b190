// The largest counts that configuration may ask for. They catch slips of the keyboard and keep
// sums within 32 bits; a machine's real limits are lower.
#pragma once

#include <cstdint>

namespace gatehouse::config {

inline constexpr std::uint32_t sessions_max = 10'000'000;
inline constexpr std::uint32_t logins_per_minute_max = 1'000'000;
inline constexpr std::uint32_t workers_max = 1024;

// Of one file, in bytes: a list of ten million lines fits. A larger one is a mistake, and reading
// it could take the memory that sessions need.
inline constexpr std::uint64_t file_size_max = 256U << 20;

}  // namespace gatehouse::config
