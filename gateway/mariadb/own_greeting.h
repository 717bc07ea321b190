// The greeting that the gateway writes itself, where a login must be read before there can be a
// backend to greet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace gatehouse::mariadb {

// Threads are numbered from here: no backend counts that far, so that a number tells whose it is.
inline constexpr std::uint32_t own_thread_id_min = 1U << 31;

struct OwnGreeting {
  static constexpr std::size_t scramble_size = 20;

  std::string_view server_version;
  std::uint32_t thread_id = own_thread_id_min;
  std::uint64_t capabilities = 0;  // both halves, see capabilities.h
  std::uint8_t charset = 0;
  std::array<std::uint8_t, scramble_size> scramble{};
};

// A whole packet, with sequence 0; parse_greeting() reads it back. The plugin is native_password.
// REQUIRES: capabilities with protocol_41, secure_connection and plugin_auth; no NUL in version and
// scramble, where clients would take it for the end.
void append_own_greeting(std::vector<std::uint8_t>& out, const OwnGreeting& greeting);

}  // namespace gatehouse::mariadb
