#include "gateway/cassandra/error.h"

#include <algorithm>
#include <array>

#include "gateway/ascii.h"
#include "gateway/cassandra/frame.h"

namespace gatehouse::cassandra {

namespace {

constexpr std::uint8_t first_with_reason_map = 5;

FrameWriter begin_error(std::vector<std::uint8_t>& out, Answering request, std::uint32_t code,
                        std::string_view message) {
  const std::uint8_t version =
      is_supported_version(request.version) ? request.version : version_max;
  const FrameWriter frame(out, {.sender = Sender::node,
                                .version = version,
                                .stream = request.stream,
                                .opcode = opcode::error});
  append_u32(out, code);
  append_string(out, message);
  return frame;
}

// Those whose further fields are known to name no node, or are taken care of.
bool is_known(std::uint32_t code) noexcept {
  constexpr std::array<std::uint32_t, 20> known{
      0x0000, 0x000A, 0x0100, 0x1000, 0x1001, 0x1002, 0x1003, 0x1100, 0x1200, 0x1300,
      0x1400, 0x1500, 0x1600, 0x1700, 0x2000, 0x2100, 0x2200, 0x2300, 0x2400, 0x2500};
  return std::ranges::find(known, code) != known.end();
}

// Level, responses, needed, and a map of who failed and why; behind it fields without a node.
bool append_failure_details(std::vector<std::uint8_t>& out, Bytes details,
                            const AddressOfNode& told) {
  constexpr std::size_t before_map = 2 + 4 + 4;
  ByteReader reader(details);
  append_bytes(out, reader.bytes(before_map));
  const std::uint32_t count = reader.u32();
  append_u32(out, count);
  for (std::uint32_t left = count; left > 0 && reader.ok(); --left) {
    const InetAddress node = reader.inet_address();
    const std::uint16_t reason = reader.u16();
    if (!reader.ok()) break;
    append_inet_address(out, told(node));
    append_u16(out, reason);
  }
  append_bytes(out, reader.rest());
  return reader.ok();
}

constexpr bool is_digit(char character) noexcept {
  return character >= '0' && character <= '9';
}
constexpr bool is_hex(char character) noexcept {
  const char lower = to_lower_case(character);
  return is_digit(character) || (lower >= 'a' && lower <= 'f');
}

// The longest run of `belongs` from `at` on.
template <typename Predicate>
std::string_view run_at(std::string_view text, std::size_t at, Predicate belongs) noexcept {
  std::size_t end = at;
  while (end < text.size() && belongs(text[end])) ++end;
  return text.substr(at, end - at);
}

bool looks_like_ipv4(std::string_view digits_and_dots) noexcept {
  return std::ranges::count(digits_and_dots, '.') >= 3;
}
// With two colons it may be a time.
bool looks_like_ipv6(std::string_view hex_and_colons) noexcept {
  return hex_and_colons.find("::") != std::string_view::npos ||
         std::ranges::count(hex_and_colons, ':') > 2;
}

bool holds_address(std::string_view chunk) noexcept {
  const auto in_ipv4 = [](char c) { return is_digit(c) || c == '.'; };
  const auto in_ipv6 = [](char c) { return is_hex(c) || c == ':'; };
  // Each step leaves a run behind, so a long chunk is gone through twice and not more.
  for (std::size_t at = 0; at < chunk.size();) {
    const std::string_view run = run_at(chunk, at, in_ipv4);
    if (looks_like_ipv4(run)) return true;
    at += std::max<std::size_t>(run.size(), 1);
  }
  for (std::size_t at = 0; at < chunk.size();) {
    const std::string_view run = run_at(chunk, at, in_ipv6);
    if (looks_like_ipv6(run)) return true;
    at += std::max<std::size_t>(run.size(), 1);
  }
  return false;
}

}  // namespace

void append_error(std::vector<std::uint8_t>& out, Answering request, std::uint32_t code,
                  std::string_view message) {
  begin_error(out, request, code, message).end();
}

void append_unprepared(std::vector<std::uint8_t>& out, Answering request, Bytes prepared_id) {
  FrameWriter frame = begin_error(out, request, error_code::unprepared,
                                  "This statement was not prepared on this connection's server.");
  append_short_bytes(out, prepared_id);
  frame.end();
}

void append_unsupported_version(std::vector<std::uint8_t>& out, Answering request,
                                std::uint8_t asked_for) {
  append_error(out, request, error_code::protocol,
               "Invalid or unsupported protocol version (" + std::to_string(asked_for) +
                   "); supported versions are (3/v3, 4/v4, 5/v5)");
}

std::optional<NodeError> parse_error(Bytes content) noexcept {
  ByteReader reader(content);
  NodeError error;
  error.code = reader.u32();
  error.message = reader.string();
  error.details = reader.rest();
  if (!reader.ok()) return std::nullopt;
  return error;
}

std::optional<std::vector<std::uint8_t>> without_nodes(std::uint8_t version, const NodeError& error,
                                                       const AddressOfNode& told) {
  if (!is_known(error.code)) return std::nullopt;
  std::vector<std::uint8_t> content;
  append_u32(content, error.code);
  append_string(content, hide_addresses(error.message));
  const bool has_map =
      version >= first_with_reason_map &&
      (error.code == error_code::read_failure || error.code == error_code::write_failure);
  if (!has_map) {
    append_bytes(content, error.details);
  } else if (!append_failure_details(content, error.details, told)) {
    return std::nullopt;
  }
  return content;
}

std::string hide_addresses(std::string_view text) {
  constexpr std::string_view between = " \t\r\n,;()<>{}='\"";
  constexpr std::string_view end_of_sentence = ".:";
  std::string hidden;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find_first_of(between), text.size());
    const std::string_view chunk = text.substr(0, size);
    if (holds_address(chunk)) {
      hidden += "node";
      hidden += chunk.substr(chunk.find_last_not_of(end_of_sentence) + 1);
    } else {
      hidden += chunk;
    }
    const std::size_t next = std::min(size + 1, text.size());
    hidden += text.substr(size, next - size);
    text.remove_prefix(next);
  }
  return hidden;
}

}  // namespace gatehouse::cassandra
