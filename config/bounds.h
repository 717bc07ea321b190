// The largest counts that configuration may ask for. They catch slips of the keyboard and keep
// sums within 32 bits; a machine's real limits are lower.
#pragma once

#include <cstdint>

namespace gatehouse::config {

inline constexpr std::uint32_t sessions_max = 10'000'000;
inline constexpr std::uint32_t logins_per_minute_max = 1'000'000;
inline constexpr std::uint32_t workers_max = 1024;

}  // namespace gatehouse::config
