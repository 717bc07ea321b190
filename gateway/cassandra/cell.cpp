#include "gateway/cassandra/cell.h"

#include <algorithm>

namespace gatehouse::cassandra {

namespace {

bool has_size(const Value& cell, std::size_t size) noexcept {
  return cell.state == Value::State::set && cell.bytes.size() == size;
}

}  // namespace

std::optional<std::string_view> text_in(const Value& cell) noexcept {
  if (cell.state != Value::State::set) return std::nullopt;
  return as_text(cell.bytes);
}

std::optional<Uuid> uuid_in(const Value& cell) noexcept {
  Uuid uuid{};
  if (!has_size(cell, uuid.size())) return std::nullopt;
  std::ranges::copy(cell.bytes, uuid.begin());
  return uuid;
}

std::optional<InetAddress> inet_in(const Value& cell) noexcept {
  if (cell.state != Value::State::set) return std::nullopt;
  return inet_address(cell.bytes);
}

std::optional<std::int32_t> int_in(const Value& cell) noexcept {
  if (!has_size(cell, sizeof(std::int32_t))) return std::nullopt;
  return ByteReader(cell.bytes).i32();
}

std::optional<std::int64_t> bigint_in(const Value& cell) noexcept {
  if (!has_size(cell, sizeof(std::int64_t))) return std::nullopt;
  return static_cast<std::int64_t>(ByteReader(cell.bytes).u64());
}

std::optional<bool> boolean_in(const Value& cell) noexcept {
  if (!has_size(cell, 1)) return std::nullopt;
  return cell.bytes[0] != 0;
}

std::optional<std::vector<std::string_view>> texts_in(const Value& cell) {
  if (cell.state != Value::State::set) return std::nullopt;
  ByteReader reader(cell.bytes);
  std::vector<std::string_view> texts;
  for (std::uint32_t left = reader.u32(); left > 0 && reader.ok(); --left) {
    const Value element = reader.value();
    if (element.state != Value::State::set) return std::nullopt;
    texts.push_back(as_text(element.bytes));
  }
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return texts;
}

void append_texts(std::vector<std::uint8_t>& cell, const std::vector<std::string_view>& texts) {
  append_u32(cell, static_cast<std::uint32_t>(texts.size()));
  for (const std::string_view text : texts) append_long_bytes(cell, bytes_of(text));
}

}  // namespace gatehouse::cassandra
