#include "gateway/cassandra/handshake.h"

#include <algorithm>

#include "gateway/ascii.h"
#include "gateway/cassandra/compression.h"
#include "gateway/cassandra/frame.h"

namespace gatehouse::cassandra {

namespace {

constexpr std::string_view protocol_versions_key = "PROTOCOL_VERSIONS";
constexpr std::string_view compression_key = "COMPRESSION";
constexpr std::string_view cql_version_key = "CQL_VERSION";

constexpr std::size_t values_max = 64;

// The version of "4/v4", where there is one that is spoken here.
bool is_spoken_version(std::string_view name) noexcept {
  return name.size() > 1 && name[1] == '/' && name[0] >= '0' + version_min &&
         name[0] <= '0' + version_max;
}

bool read_list(ByteReader& reader, std::vector<std::string>* into) {
  for (std::uint16_t left = reader.u16(); left > 0 && reader.ok(); --left) {
    const std::string_view text = reader.string();
    if (into == nullptr || !reader.ok()) continue;
    if (into->size() == values_max) return false;
    into->emplace_back(text);
  }
  return reader.ok();
}

void append_entry(std::vector<std::uint8_t>& body, std::string_view key,
                  const std::vector<std::string>& values) {
  append_string(body, key);
  append_u16(body, static_cast<std::uint16_t>(values.size()));
  for (const std::string& value : values) append_string(body, value);
}

}  // namespace

std::optional<Startup> parse_startup(Bytes body) noexcept {
  ByteReader reader(body);
  Startup startup;
  for (std::uint16_t left = reader.u16(); left > 0 && reader.ok(); --left) {
    const std::string_view key = reader.string();
    const std::string_view value = reader.string();
    if (equals_ignoring_case(key, "cql_version")) startup.cql_version = value;
    if (equals_ignoring_case(key, "compression")) startup.compression = value;
    if (equals_ignoring_case(key, "driver_name")) startup.driver_name = value;
    if (equals_ignoring_case(key, "driver_version")) startup.driver_version = value;
  }
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return startup;
}

std::optional<Supported> parse_supported(Bytes body) {
  ByteReader reader(body);
  Supported supported;
  for (std::uint16_t left = reader.u16(); left > 0 && reader.ok(); --left) {
    const std::string_view key = reader.string();
    std::vector<std::string>* into = nullptr;
    if (key == protocol_versions_key) into = &supported.protocol_versions;
    if (key == compression_key) into = &supported.compression;
    if (key == cql_version_key) into = &supported.cql_versions;
    if (!read_list(reader, into)) return std::nullopt;
  }
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return supported;
}

Supported spoken_here(Supported supported) {
  std::erase_if(supported.protocol_versions,
                [](std::string_view name) { return !is_spoken_version(name); });
  std::erase_if(supported.compression,
                [](std::string_view name) { return !compression_named(name); });
  return supported;
}

void append_supported(std::vector<std::uint8_t>& body, const Supported& supported) {
  append_u16(body, 3);
  append_entry(body, protocol_versions_key, supported.protocol_versions);
  append_entry(body, compression_key, supported.compression);
  append_entry(body, cql_version_key, supported.cql_versions);
}

bool append_supported_here(std::vector<std::uint8_t>& out, Answering request, Bytes content) {
  auto supported = parse_supported(content);
  if (!supported) return false;
  FrameWriter frame(out, {.sender = Sender::node,
                          .version = request.version,
                          .stream = request.stream,
                          .opcode = opcode::supported});
  append_supported(out, spoken_here(*std::move(supported)));
  frame.end();
  return true;
}

std::optional<std::string_view> plain_user(Bytes body) noexcept {
  ByteReader reader(body);
  const Value token = reader.value();
  if (!reader.ok() || !reader.at_end() || token.state != Value::State::set) return std::nullopt;
  const std::string_view text = as_text(token.bytes);
  // Identity to act as, user, password, with a NUL between: one more, and Cassandra refuses it.
  const std::size_t before_user = text.find('\0');
  if (before_user == std::string_view::npos) return std::nullopt;
  const std::size_t behind_user = text.find('\0', before_user + 1);
  if (behind_user == std::string_view::npos) return std::nullopt;
  const std::string_view user = text.substr(before_user + 1, behind_user - before_user - 1);
  const std::string_view password = text.substr(behind_user + 1);
  if (user.empty() || password.empty() || password.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  return user;
}

std::optional<Registration> parse_register(Bytes body) noexcept {
  ByteReader reader(body);
  Registration registration;
  for (std::uint16_t left = reader.u16(); left > 0 && reader.ok(); --left) {
    const std::string_view type = reader.string();
    if (equals_ignoring_case(type, "topology_change")) {
      registration.topology_change = true;
    } else if (equals_ignoring_case(type, "status_change")) {
      registration.status_change = true;
    } else if (equals_ignoring_case(type, "schema_change")) {
      registration.schema_change = true;
    } else {
      registration.anything_else = true;
    }
  }
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return registration;
}

}  // namespace gatehouse::cassandra
