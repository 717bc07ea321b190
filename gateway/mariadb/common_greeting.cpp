#include "gateway/mariadb/common_greeting.h"

#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "gateway/mariadb/capabilities.h"

namespace gatehouse::mariadb {

namespace {

constexpr std::string_view replication_prefix = "5.5.5-";

// What every MariaDB since 10.2 announces, compress aside.
constexpr capability::Bit since_10_2 =
    capability::found_rows | capability::long_flag | capability::connect_with_db |
    capability::no_schema | capability::odbc | capability::local_files | capability::ignore_space |
    capability::protocol_41 | capability::interactive | capability::ignore_sigpipe |
    capability::transactions | capability::reserved | capability::secure_connection |
    capability::multi_statements | capability::multi_results | capability::ps_multi_results |
    capability::plugin_auth | capability::connect_attributes | capability::plugin_auth_lenenc |
    capability::session_track | capability::deprecate_eof | capability::remember_options;

// All that is ever offered: what is not named here may change what a packet looks like, and the
// gateway reads a client's commands. Left out of what is known:
// - compress, zstd: what is compressed cannot be read;
// - com_multi: packs commands into one another;
// - query_attributes, optional_resultset_metadata, multi_factor: MySQL's, and change the layout of
//   commands, results and logins in ways that no MariaDB knows.
constexpr capability::Bit offerable = since_10_2 | capability::expired_passwords |
                                      capability::progress | capability::bulk_statements |
                                      capability::extended_metadata | capability::cache_metadata |
                                      capability::bulk_unit_results;

CommonGreeting oldest_expected() {
  return {.server_version = "5.5.5-10.2.0-MariaDB",
          .capabilities = since_10_2 | capability::ssl,
          .charset = utf8mb4_general_ci};
}

constexpr bool is_digit(char character) noexcept {
  return character >= '0' && character <= '9';
}

using Version = std::array<std::uint32_t, 3>;

// A text that does not begin with a number is no version to go by: it counts as the highest.
Version parse_version(std::string_view text) noexcept {
  text = plain_version(text);
  Version version{};
  for (std::size_t part = 0; part < version.size(); ++part) {
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), version[part]);
    if (error != std::errc{}) {
      if (part == 0) version.fill(std::numeric_limits<std::uint32_t>::max());
      break;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.starts_with('.')) break;
    text.remove_prefix(1);
  }
  return version;
}

}  // namespace

CommonGreeting common_part(const Greeting& greeting) {
  return {.server_version = greeting.server_version,
          .capabilities = greeting.capabilities,
          .charset = greeting.charset};
}

CommonGreeting lowest_common(std::span<const CommonGreeting> backends) {
  if (backends.empty()) return oldest_expected();
  const CommonGreeting* lowest = backends.data();
  capability::Bit capabilities = offerable;
  bool extended = true;
  for (const CommonGreeting& backend : backends) {
    capabilities &= backend.capabilities;
    extended = extended && capability::has_extended(backend.capabilities);
    if (parse_version(backend.server_version) < parse_version(lowest->server_version)) {
      lowest = &backend;
    }
  }
  if (!extended) capabilities = (capabilities & capability::standard_half) | capability::mysql;
  return {.server_version = lowest->server_version,
          .capabilities = capabilities | capability::ssl,
          .charset = lowest->charset};
}

std::string_view plain_version(std::string_view server_version) noexcept {
  std::string_view rest = server_version;
  if (!rest.starts_with(replication_prefix)) return server_version;
  rest.remove_prefix(replication_prefix.size());
  return !rest.empty() && is_digit(rest.front()) ? rest : server_version;
}

}  // namespace gatehouse::mariadb
