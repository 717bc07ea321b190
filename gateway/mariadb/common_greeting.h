// What the greetings of several backends have in common: all that a client may be promised before
// it is known which of them it is for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gateway/mariadb/greeting.h"

namespace gatehouse::mariadb {

// A character set by its number, as every server since 5.5 knows it.
inline constexpr std::uint8_t utf8mb4_general_ci = 45;

// A greeting without what is one connection's own.
struct CommonGreeting {
  std::string server_version;      // as sent, see Greeting
  std::uint64_t capabilities = 0;  // both halves, see capabilities.h
  std::uint8_t charset = 0;
  friend bool operator==(const CommonGreeting&, const CommonGreeting&) = default;
};

[[nodiscard]] CommonGreeting common_part(const Greeting& greeting);

// What a client can be greeted with, whichever of these backends it is for: the capabilities that
// all of them have and that the gateway can carry, with ssl, which it offers itself; version and
// charset of the one with the lowest version. Where nothing is known yet: those of the oldest
// MariaDB there is to expect.
[[nodiscard]] CommonGreeting lowest_common(std::span<const CommonGreeting> backends);

// Without the "5.5.5-" that MariaDB before 11.0 puts in front, so that old replicas take it for
// MySQL.
[[nodiscard]] std::string_view plain_version(std::string_view server_version) noexcept;

}  // namespace gatehouse::mariadb
