// Durations and points in time as operators write them.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "rules/rule.h"

namespace gatehouse::config {

// A whole number and its unit: 500ms, 3s, 1m, 8h. Unset: not of this form, or over 1000 days.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(
    std::string_view text) noexcept;

// RFC 3339 with whole seconds: 2026-12-31T17:00:00Z, or with an offset such as +01:00 for the Z.
// Unset: not of this form, or no day of the calendar.
[[nodiscard]] std::optional<rules::Time> parse_time(std::string_view text) noexcept;

}  // namespace gatehouse::config
