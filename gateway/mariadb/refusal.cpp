#include "gateway/mariadb/refusal.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "gateway/mariadb/packet.h"

namespace gatehouse::mariadb {

namespace {

// Codes 2000 to 2999 and 5000 to 5999 belong to clients, which take an ERR with one for malformed.
struct ErrorCode {
  std::uint16_t code;
  std::string_view state;  // five characters
};
constexpr ErrorCode access_denied{9000, "HY000"};
constexpr ErrorCode tls_needed{9002, "28000"};
constexpr ErrorCode too_many{1040, "08004"};
constexpr ErrorCode handshake_error{1043, "08S01"};
constexpr ErrorCode unknown_error{1105, "HY000"};
constexpr ErrorCode wrong_value{1231, "42000"};

constexpr std::uint8_t err_marker = 0xFF;

}  // namespace

class RefusalWriter {
 public:
  RefusalWriter(Moment moment, ErrorCode error) noexcept : sequence_(moment.sequence) {
    refusal_.size_ = header_size;
    put(err_marker);
    put(static_cast<std::uint8_t>(error.code));
    put(static_cast<std::uint8_t>(error.code >> 8));
    if (moment.greeted) text("#").text(error.state);
  }

  // The texts below fit; the test is for the day when one of them does not.
  RefusalWriter& text(std::string_view text) noexcept {
    const std::size_t size = std::min(text.size(), refusal_.buffer_.size() - refusal_.size_);
    std::memcpy(refusal_.buffer_.data() + refusal_.size_, text.data(), size);
    refusal_.size_ += size;
    return *this;
  }

  RefusalWriter& argument(std::string_view argument) noexcept {
    return text(argument.substr(0, Refusal::argument_size_max));
  }

  Refusal done() noexcept {
    const auto length = static_cast<std::uint32_t>(refusal_.size_ - header_size);
    write_header(std::span(refusal_.buffer_).first<header_size>(),
                 {.length = length, .sequence = sequence_});
    return refusal_;
  }

 private:
  // Of what stands before all text.
  void put(std::uint8_t byte) noexcept { refusal_.buffer_[refusal_.size_++] = byte; }

  Refusal refusal_;
  std::uint8_t sequence_;
};

namespace {

RefusalWriter denied(Moment moment, std::string_view source_ip) noexcept {
  return RefusalWriter(moment, access_denied)
      .text("Client with IP address '")
      .argument(source_ip)
      .text("' is not allowed to connect to this MariaDB server.");
}

}  // namespace

Refusal denied_at_accept(std::string_view source_ip) noexcept {
  return denied(before_greeting, source_ip).done();
}

Refusal denied_after_login(std::uint8_t sequence, std::string_view source_ip) noexcept {
  return denied(after_greeting(sequence), source_ip)
      .text(" If the server's name is missing or wrong: the user name has the form user@server.")
      .done();
}

Refusal ssl_required(std::uint8_t sequence) noexcept {
  return RefusalWriter(after_greeting(sequence), tls_needed)
      .text("SSL connection is required. Please specify SSL options and retry.")
      .done();
}

Refusal too_many_connections(Moment moment) noexcept {
  return RefusalWriter(moment, too_many).text("Too many connections").done();
}

Refusal bad_handshake(std::uint8_t sequence) noexcept {
  return RefusalWriter(after_greeting(sequence), handshake_error).text("Bad handshake").done();
}

Refusal charset_refused(std::uint8_t sequence) noexcept {
  return RefusalWriter(after_greeting(sequence), wrong_value)
      .text("Variable 'character_set_client' can't be set to the value the client asked for")
      .done();
}

namespace {

std::string_view explanation(Failure failure) noexcept {
  switch (failure) {
    case Failure::backend_unreachable:
      return "The gateway cannot reach the database server. Try again later.";
    case Failure::audit_unwritable:
      return "The gateway cannot write its audit log and therefore accepts no new connections.";
    case Failure::gateways_own_user:
      return "The gateway runs under this user's name and cannot tell the two apart to the "
             "database "
             "server.";
    case Failure::clear_password_refused:
      return "This account's authentication plugin sends the password itself, and the gateway's "
             "connection to the database server is not encrypted.";
  }
  return {};
}

}  // namespace

Refusal session_failed(Moment moment, Failure failure, std::string_view reference) noexcept {
  return RefusalWriter(moment, unknown_error)
      .text(explanation(failure))
      .text(" Reference: ")
      .argument(reference)
      .done();
}

}  // namespace gatehouse::mariadb
