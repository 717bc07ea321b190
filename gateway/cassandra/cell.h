// What is in the cells of the system's tables (section 6 of the native protocol). Reading asks for
// the exact size; a cell that is null reads as no value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/cassandra/bytes.h"

namespace gatehouse::cassandra {

using Uuid = std::array<std::uint8_t, 16>;

[[nodiscard]] std::optional<std::string_view> text_in(const Value& cell) noexcept;
[[nodiscard]] std::optional<Uuid> uuid_in(const Value& cell) noexcept;
[[nodiscard]] std::optional<InetAddress> inet_in(const Value& cell) noexcept;
[[nodiscard]] std::optional<std::int32_t> int_in(const Value& cell) noexcept;
[[nodiscard]] std::optional<std::int64_t> bigint_in(const Value& cell) noexcept;
[[nodiscard]] std::optional<bool> boolean_in(const Value& cell) noexcept;
// A set or a list of texts, of which none is null.
[[nodiscard]] std::optional<std::vector<std::string_view>> texts_in(const Value& cell);

// Appends what a cell holds, without the cell's own length.
void append_texts(std::vector<std::uint8_t>& cell, const std::vector<std::string_view>& texts);

}  // namespace gatehouse::cassandra
