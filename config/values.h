// Readers of the kinds of value that several sections share. Each returns nothing after a
// complaint.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "config/configuration.h"
#include "config/reader.h"
#include "rules/rule.h"

namespace gatehouse::config {

// Of a listener, network, subnet or rule: 1 to 128 of [A-Za-z0-9_-]. An ill-formed one is
// complained about and returned all the same, so that what refers to it does not look wrong too.
[[nodiscard]] std::optional<std::string> read_name(const Value& value);
// 3 to 63 of [a-z0-9-], no hyphen at either end; likewise.
[[nodiscard]] std::optional<std::string> read_server_name(const Value& value);

// An address, a block or a range.
[[nodiscard]] std::optional<rules::IpRange> read_range(const Value& value);
// One address that a peer can have.
[[nodiscard]] std::optional<rules::IpAddress> read_address(const Value& value);
// An address and a port, which may be 0.
[[nodiscard]] std::optional<SocketAddress> read_socket_address(const Value& value);

// At least a millisecond.
[[nodiscard]] std::optional<std::chrono::milliseconds> read_duration(const Value& value);
// May be none at all: 0s.
[[nodiscard]] std::optional<std::chrono::milliseconds> read_duration_or_none(const Value& value);
[[nodiscard]] std::optional<rules::Time> read_time(const Value& value);

[[nodiscard]] std::optional<std::filesystem::path> read_path(const Value& value);
[[nodiscard]] std::optional<FileReference> read_file_reference(const Value& value);
// `written`, the path of a unix socket, in the file where `value` stands.
[[nodiscard]] std::optional<std::filesystem::path> read_socket_path(const Value& value,
                                                                    std::string_view written);

// `certificate` and `key` of a mapping, which lacks neither.
[[nodiscard]] KeyPair read_key_pair(Fields& fields);
// The same, unset where the mapping has neither.
[[nodiscard]] std::optional<KeyPair> read_optional_key_pair(Fields& fields);

// Splits host:port or [host]:port; no check of the host. Unset: no such form, or no such port.
struct HostAndPort {
  std::string_view host;
  std::uint16_t port = 0;
};
[[nodiscard]] std::optional<HostAndPort> split_host_and_port(std::string_view text);

// Where something was written first, for the hint of a second time.
[[nodiscard]] std::string first_at(const Location& at);

}  // namespace gatehouse::config
