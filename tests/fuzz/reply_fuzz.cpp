// What a backend says during a login, and putting right the state in its OK.
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/reply.h"
#include "tests/fuzz/require.h"

namespace gatehouse::mariadb {

using fuzz::require;
using Outcome = RewrittenOk::Outcome;

namespace {

std::string in_lower_case(Bytes payload) {
  std::string text;
  for (const std::uint8_t byte : payload) text.push_back(static_cast<char>(std::tolower(byte)));
  return text;
}

void check_rewriting(Bytes payload, std::optional<std::uint32_t> connection_id) {
  require(
      rewrite_login_ok(payload, capability::protocol_41, connection_id).outcome != Outcome::changed,
      "without session_track there is no state to change");
  const auto result = rewrite_login_ok(payload, capability::session_track, connection_id);
  require((result.outcome == Outcome::changed) != result.payload.empty(),
          "a new packet is there exactly if something was changed");
  if (result.outcome != Outcome::changed) {
    require(!connection_id || result.outcome == Outcome::malformed, "a thread is put in");
    return;
  }
  const auto again = rewrite_login_ok(result.payload, capability::session_track, std::nullopt);
  require(again.outcome == Outcome::unchanged, "the new packet is an OK with nothing to take out");
  if (connection_id) {
    require(in_lower_case(result.payload)
                    .find("\x0d"
                          "connection_id\x02"
                          "28") != std::string::npos,
            "the thread is in the new packet");
    const auto same = rewrite_login_ok(result.payload, capability::session_track, connection_id);
    require(same.payload == result.payload, "a thread is put in once");
  } else {
    require(in_lower_case(payload).find("redirect_url") != std::string::npos,
            "what was taken out was there");
    require(result.payload.size() + sizeof("redirect_url") <= payload.size(),
            "the name is gone, with its length");
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes payload(data, size);
  const ReplyKind kind = classify_reply(payload);
  require(parse_error(payload).has_value() == (kind == ReplyKind::error), "an ERR can be read");
  const auto change = parse_auth_switch(payload);
  require(change.has_value() == (kind == ReplyKind::auth_switch), "an AuthSwitch can be read");
  if (change) static_cast<void>(reveals_password(change->plugin));
  require(!asks_for_full_authentication(payload) || kind == ReplyKind::more_data,
          "a request for the password is a plugin's data");
  check_rewriting(payload, std::nullopt);
  check_rewriting(payload, 28);
  return 0;
}

}  // namespace gatehouse::mariadb
