// ERROR (section 9 of the native protocol): those that the gateway answers with, and taking nodes'
// addresses out of those that a node answers with.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/cassandra/bytes.h"
#include "gateway/cassandra/frame.h"

namespace gatehouse::cassandra {

namespace error_code {
inline constexpr std::uint32_t server = 0x0000;
inline constexpr std::uint32_t protocol = 0x000A;
inline constexpr std::uint32_t bad_credentials = 0x0100;
inline constexpr std::uint32_t unavailable = 0x1000;
inline constexpr std::uint32_t overloaded = 0x1001;
inline constexpr std::uint32_t bootstrapping = 0x1002;
inline constexpr std::uint32_t read_failure = 0x1300;
inline constexpr std::uint32_t write_failure = 0x1500;
inline constexpr std::uint32_t syntax = 0x2000;
inline constexpr std::uint32_t unauthorized = 0x2100;
inline constexpr std::uint32_t invalid = 0x2200;
inline constexpr std::uint32_t config = 0x2300;
inline constexpr std::uint32_t unprepared = 0x2500;
}  // namespace error_code

// Which request an answer is to. A version that is not spoken is answered in one that is.
struct Answering {
  std::uint8_t version = 0;
  std::int16_t stream = 0;
};
[[nodiscard]] constexpr Answering answering(const FrameHeader& request) noexcept {
  return {request.version, request.stream};
}

// A whole frame. `code`: one of those without further fields, that is, of the above all but
// unavailable, the failures and unprepared.
void append_error(std::vector<std::uint8_t>& out, Answering request, std::uint32_t code,
                  std::string_view message);
// A whole frame: the client is to prepare its statement again.
void append_unprepared(std::vector<std::uint8_t>& out, Answering request, Bytes prepared_id);
// A whole frame, in the words by which drivers know that an older version might do.
void append_unsupported_version(std::vector<std::uint8_t>& out, Answering request,
                                std::uint8_t asked_for);

// Views into the content.
struct NodeError {
  std::uint32_t code = 0;
  std::string_view message;  // may name nodes' addresses
  Bytes details;             // what else this code has
};
// Of the content behind a response's prefix. No value: a field that does not fit.
[[nodiscard]] std::optional<NodeError> parse_error(Bytes content) noexcept;

// What a client is told instead of a node's address.
using AddressOfNode = std::function<InetAddress(const InetAddress& node)>;

// The content of a node's ERROR without what it says of nodes: every address in the message, and
// in v5 those of the nodes that failed to read or write. No value: it cannot be read, so it may
// hold anything.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> without_nodes(std::uint8_t version,
                                                                     const NodeError& error,
                                                                     const AddressOfNode& told);

// A text in which `node` stands for everything that looks like an IP address, with the port and the
// host name that Java puts around it.
[[nodiscard]] std::string hide_addresses(std::string_view text);

}  // namespace gatehouse::cassandra
