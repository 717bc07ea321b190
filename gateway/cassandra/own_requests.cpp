#include "gateway/cassandra/own_requests.h"

#include <array>
#include <utility>

#include "gateway/cassandra/query.h"

namespace gatehouse::cassandra {

namespace {

constexpr std::uint16_t consistency_one = 1;

}  // namespace

void append_startup(std::vector<std::uint8_t>& body, std::string_view driver_version) {
  const std::array<std::pair<std::string_view, std::string_view>, 3> options{{
      {"CQL_VERSION", "3.0.0"},
      {"DRIVER_NAME", "Gatehouse"},
      {"DRIVER_VERSION", driver_version},
  }};
  append_u16(body, options.size());
  for (const auto& [key, value] : options) {
    append_string(body, key);
    append_string(body, value);
  }
}

void append_plain_login(std::vector<std::uint8_t>& body, std::string_view user,
                        std::string_view password) {
  append_u32(body, static_cast<std::uint32_t>(user.size() + password.size() + 2));
  append_u8(body, 0);
  append_bytes(body, bytes_of(user));
  append_u8(body, 0);
  append_bytes(body, bytes_of(password));
}

void append_register(std::vector<std::uint8_t>& body) {
  const std::array<std::string_view, 3> events{"TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE"};
  append_u16(body, events.size());
  for (const std::string_view event : events) append_string(body, event);
}

void append_query(std::vector<std::uint8_t>& body, std::uint8_t version, std::string_view text) {
  append_long_bytes(body, bytes_of(text));
  append_u16(body, consistency_one);
  if (version >= first_with_long_flags) {
    append_u32(body, 0);
  } else {
    append_u8(body, 0);
  }
}

}  // namespace gatehouse::cassandra
