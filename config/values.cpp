#include "config/values.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include <fmt/format.h>
#include <sys/un.h>

#include "config/name_text.h"
#include "config/range_problem.h"
#include "config/text_file.h"
#include "config/time_text.h"

namespace gatehouse::config {
namespace {

std::optional<std::chrono::milliseconds> read_any_duration(const Value& value) {
  constexpr std::string_view form = "a duration";
  if (value.node().kind == YamlKind::integer) {
    value.wrong_type(form, fmt::format("with its unit, such as {}s", value.node().text));
    return std::nullopt;
  }
  const auto text = value.text(form);
  if (!text) return std::nullopt;
  const auto duration = parse_duration(*text);
  if (!duration) {
    value.error(in_quotes(*text) + " is not a duration",
                "a whole number and its unit, such as 500ms, 3s, 1m or 8h; at most 1000 days");
  }
  return duration;
}

}  // namespace

std::optional<std::string> read_name(const Value& value) {
  auto name = value.text();
  if (name && !is_name(*name)) {
    value.error(in_quotes(*name) + " is no name", "1 to 128 of A-Z, a-z, 0-9, _ and -");
  }
  return name;
}

std::optional<std::string> read_server_name(const Value& value) {
  auto name = value.text();
  if (name && !is_server_name(*name)) {
    value.error(in_quotes(*name) + " is no name of a server",
                "3 to 63 of a-z, 0-9 and -, no - at either end");
  }
  return name;
}

std::optional<rules::IpRange> read_range(const Value& value) {
  const auto text = value.text("an address, a block or a range");
  if (!text) return std::nullopt;
  const auto parsed = rules::IpRange::parse(*text);
  if (!parsed.error) return parsed.range;
  const auto problem = describe_problem(parsed, *text);
  value.error(problem.message, problem.hint);
  return std::nullopt;
}

std::optional<rules::IpAddress> read_address(const Value& value) {
  const auto text = value.text("an address");
  if (!text) return std::nullopt;
  const auto address = rules::IpAddress::parse(*text);
  if (address && !address->is_unspecified()) return address;
  value.error(in_quotes(*text) + (address ? " is nobody's address" : " is not an address"));
  return std::nullopt;
}

std::optional<SocketAddress> read_socket_address(const Value& value) {
  const auto text = value.text("an address and port");
  if (!text) return std::nullopt;
  const auto parts = split_host_and_port(*text);
  const auto ip = parts ? rules::IpAddress::parse(parts->host) : std::nullopt;
  // Brackets belong to IPv6: without them its port could not be told from its last group.
  if (ip && ip->is_v4() != text->starts_with('[')) return SocketAddress{*ip, parts->port};
  value.error(in_quotes(*text) + " is not an address and port",
              "write it like 0.0.0.0:3306 or [::]:3306");
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> read_duration(const Value& value) {
  const auto duration = read_any_duration(value);
  if (duration && duration->count() == 0) {
    value.error("must be longer than nothing");
    return std::nullopt;
  }
  return duration;
}

std::optional<std::chrono::milliseconds> read_duration_or_none(const Value& value) {
  return read_any_duration(value);
}

std::optional<rules::Time> read_time(const Value& value) {
  const auto text = value.text("a point in time");
  if (!text) return std::nullopt;
  const auto time = parse_time(*text);
  if (!time) {
    value.error(in_quotes(*text) + " is not a point in time",
                "write it like 2026-12-31T17:00:00Z or 2026-12-31T18:00:00+01:00");
  }
  return time;
}

std::optional<std::filesystem::path> read_path(const Value& value) {
  const auto text = value.text();
  if (!text) return std::nullopt;
  return resolve(value.file().folder, *text);
}

std::optional<FileReference> read_file_reference(const Value& value) {
  auto path = read_path(value);
  if (!path) return std::nullopt;
  return FileReference{*std::move(path), value.at()};
}

std::optional<std::filesystem::path> read_socket_path(const Value& value,
                                                      std::string_view written) {
  constexpr std::size_t bytes_max = sizeof(sockaddr_un::sun_path) - 1;
  auto path = resolve(value.file().folder, written);
  if (path.native().size() <= bytes_max) return path;
  value.error(fmt::format("the path of a unix socket has at most {} bytes, this one has {}",
                          bytes_max, path.native().size()),
              "it counts from the root: " + in_quotes(path.native()));
  return std::nullopt;
}

KeyPair read_key_pair(Fields& fields) {
  KeyPair pair;
  fields.require("certificate", pair.certificate, read_file_reference);
  fields.require("key", pair.key, read_file_reference);
  return pair;
}

std::optional<KeyPair> read_optional_key_pair(Fields& fields) {
  if (fields.find("certificate") || fields.find("key")) return read_key_pair(fields);
  // Both are known keys even where they are absent.
  return std::nullopt;
}

std::optional<HostAndPort> split_host_and_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return std::nullopt;
  }
  std::uint16_t port = 0;
  const char* const end = port_text.data() + port_text.size();
  const auto [after, failure] = std::from_chars(port_text.data(), end, port);
  if (host.empty() || failure != std::errc() || after != end) return std::nullopt;
  return HostAndPort{host, port};
}

std::string first_at(const Location& at) {
  return fmt::format("first at {}:{}:{}", at.file, at.line, at.column);
}

}  // namespace gatehouse::config
