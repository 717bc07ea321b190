#include "gateway/cassandra/login.h"

#include <utility>

#include "gateway/cassandra/error.h"
#include "gateway/cassandra/handshake.h"
#include "gateway/cassandra/query.h"
#include "gateway/cassandra/response.h"

namespace gatehouse::cassandra {

namespace {

// Of what a client says of itself; of an AUTH_RESPONSE, which holds a token of some mechanism.
constexpr std::uint32_t login_body_max = 64 * 1024;

}  // namespace

std::optional<Bytes> Login::plain(const FrameHeader& header, Bytes body,
                                  std::vector<std::uint8_t>& memory) const {
  const Compression agreed = has_started_ ? compression() : Compression::none;
  return plain_body(agreed, header.flags, body, login_body_max, memory);
}

Login::Step Login::refuse(const FrameHeader& header, std::uint32_t code, std::string_view message,
                          std::vector<std::uint8_t>& answer) {
  append_error(answer, answering(header), code, message);
  return Step::refuse;
}

Login::Step Login::take_request(const FrameHeader& header, Bytes body,
                                std::vector<std::uint8_t>& answer) {
  std::vector<std::uint8_t> memory;
  const auto read = plain(header, body, memory);
  const auto content = read ? request_content(header.flags, *read) : std::nullopt;
  const bool is_sound =
      content && header.stream >= 0 && (!has_started_ || header.version == version_);
  request_ = header.opcode;
  stream_ = header.stream;
  segments_begin_.reset();
  if (is_sound && header.opcode == opcode::options) return Step::pass;
  if (is_sound && header.opcode == opcode::startup && !has_started_) {
    return take_startup(header, *content, answer);
  }
  if (is_sound && header.opcode == opcode::auth_response && is_asked_) {
    is_asked_ = false;
    user_ = plain_user(*content).value_or("");
    return Step::pass;
  }
  return refuse(header, error_code::protocol, "This is not what a login of CQL begins with.",
                answer);
}

Login::Step Login::take_startup(const FrameHeader& header, Bytes body,
                                std::vector<std::uint8_t>& answer) {
  const auto startup = parse_startup(body);
  if (!startup) {
    return refuse(header, error_code::protocol, "This STARTUP cannot be read.", answer);
  }
  if (!startup->compression.empty()) {
    const auto named = compression_named(startup->compression);
    if (!named || (header.version >= first_with_segments && *named == Compression::snappy)) {
      return refuse(header, error_code::protocol,
                    "Unknown compression algorithm: " + std::string(startup->compression), answer);
    }
    compression_ = *named;
  }
  has_started_ = true;
  version_ = header.version;
  driver_ = startup->driver_name;
  driver_version_ = startup->driver_version;
  return Step::pass;
}

Login::Step Login::take_response(const FrameHeader& header, Bytes body,
                                 std::vector<std::uint8_t>& answer) {
  std::vector<std::uint8_t> memory;
  const auto read = plain(header, body, memory);
  const auto parts = read ? split_response(header.flags, *read) : std::nullopt;
  if (!parts || header.stream != stream_) return Step::broken_node;
  switch (header.opcode) {
    case opcode::error:
      return take_error(header, parts->content, answer);
    case opcode::supported:
      return request_ == opcode::options &&
                     append_supported_here(answer, answering(header), parts->content)
                 ? Step::replace
                 : Step::broken_node;
    case opcode::authenticate:
      if (request_ != opcode::startup) return Step::broken_node;
      is_asked_ = true;
      break;
    case opcode::auth_challenge:
      if (request_ != opcode::auth_response) return Step::broken_node;
      is_asked_ = true;
      break;
    case opcode::ready:
      if (request_ != opcode::startup) return Step::broken_node;
      is_done_ = true;
      break;
    case opcode::auth_success:
      if (request_ != opcode::auth_response) return Step::broken_node;
      is_done_ = true;
      break;
    default:
      return Step::broken_node;
  }
  if (request_ == opcode::startup && has_segments()) {
    segments_begin_ = compression_ == Compression::lz4 ? SegmentForm::lz4 : SegmentForm::plain;
  }
  return Step::pass;
}

// It ends the login: drivers begin anew on another connection.
Login::Step Login::take_error(const FrameHeader& header, Bytes content,
                              std::vector<std::uint8_t>& answer) {
  const auto error = parse_error(content);
  if (!error) return Step::broken_node;
  node_refused_user_ = error->code == error_code::bad_credentials;
  // Any other code has no business here, and may have fields that are not read.
  const bool is_known = node_refused_user_ || error->code == error_code::protocol ||
                        error->code == error_code::overloaded ||
                        error->code == error_code::bootstrapping;
  return refuse(header, is_known ? error->code : error_code::server, hide_addresses(error->message),
                answer);
}

}  // namespace gatehouse::cassandra
