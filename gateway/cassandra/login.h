// A client's login, passed on frame by frame: its first request is read before any node is dialled,
// and from then on each of its requests has one answer of the node's. Passwords pass, and are not
// kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/cassandra/bytes.h"
#include "gateway/cassandra/compression.h"
#include "gateway/cassandra/frame.h"
#include "gateway/cassandra/segment.h"

namespace gatehouse::cassandra {

class Login {
 public:
  enum class Step {
    pass,         // on it goes, whole and as it is
    replace,      // the same, as what was appended
    refuse,       // the client is told what was appended, and that is the end of it
    broken_node,  // the node says what it cannot say now
  };

  // A request of the client's, whole; the first one, too.
  Step take_request(const FrameHeader& header, Bytes body, std::vector<std::uint8_t>& answer);
  // The node's answer to it. After `pass` or `replace` look at the questions below.
  Step take_response(const FrameHeader& header, Bytes body, std::vector<std::uint8_t>& answer);

  // A frame's body without its compression, for which there is `memory`. Unset: it is not what it
  // says, or too long for a login.
  [[nodiscard]] std::optional<Bytes> plain(const FrameHeader& header, Bytes body,
                                           std::vector<std::uint8_t>& memory) const;

  // Whether this answer was the last one, and the client is in.
  [[nodiscard]] bool is_done() const noexcept { return is_done_; }
  // Whether it was the one behind which segments begin.
  [[nodiscard]] std::optional<SegmentForm> segments_begin() const noexcept {
    return segments_begin_;
  }
  // Whether the node has refused the user, rather than what he asks for.
  [[nodiscard]] bool node_refused_user() const noexcept { return node_refused_user_; }

  [[nodiscard]] std::uint8_t version() const noexcept { return version_; }
  // Of frames; segments have their own.
  [[nodiscard]] Compression compression() const noexcept {
    return has_segments() ? Compression::none : compression_;
  }
  // What the client says of itself, for the audit. Empty: nothing.
  [[nodiscard]] const std::string& driver() const noexcept { return driver_; }
  [[nodiscard]] const std::string& driver_version() const noexcept { return driver_version_; }
  [[nodiscard]] const std::string& user() const noexcept { return user_; }

 private:
  static Step refuse(const FrameHeader& header, std::uint32_t code, std::string_view message,
                     std::vector<std::uint8_t>& answer);
  Step take_startup(const FrameHeader& header, Bytes body, std::vector<std::uint8_t>& answer);
  Step take_error(const FrameHeader& header, Bytes content, std::vector<std::uint8_t>& answer);
  [[nodiscard]] bool has_segments() const noexcept { return version_ >= first_with_segments; }

  bool has_started_ = false;  // the client's STARTUP was passed on
  bool is_asked_ = false;     // the node wants an AUTH_RESPONSE
  // What is to be answered now.
  std::uint8_t request_ = 0;  // an opcode
  std::int16_t stream_ = 0;
  bool is_done_ = false;
  bool node_refused_user_ = false;
  std::optional<SegmentForm> segments_begin_;
  std::uint8_t version_ = 0;
  Compression compression_ = Compression::none;
  std::string driver_;
  std::string driver_version_;
  std::string user_;
};

}  // namespace gatehouse::cassandra
