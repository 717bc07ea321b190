// What a backend says during a login, and taking the redirect out of its OK.
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/reply.h"
#include "tests/fuzz/require.h"

namespace gatehouse::mariadb {

using fuzz::require;
using Outcome = OkWithoutRedirect::Outcome;

namespace {

bool names_redirect(Bytes payload) {
  std::string text;
  for (const std::uint8_t byte : payload) text.push_back(static_cast<char>(std::tolower(byte)));
  return text.find("redirect_url") != std::string::npos;
}

void check_redirect(Bytes payload) {
  require(without_redirect_url(payload, capability::protocol_41).outcome != Outcome::removed,
          "without session_track there is nothing to remove");
  const auto result = without_redirect_url(payload, capability::session_track);
  require((result.outcome == Outcome::removed) != result.payload.empty(),
          "a new packet is there exactly if something was removed");
  if (result.outcome != Outcome::removed) return;
  require(names_redirect(payload), "what was removed was there");
  require(result.payload.size() + sizeof("redirect_url") <= payload.size(),
          "the name is gone, with its length");
  const auto again = without_redirect_url(result.payload, capability::session_track);
  require(again.outcome == Outcome::unchanged, "what is left is an OK with nothing to remove");
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
  check_redirect(payload);
  return 0;
}

}  // namespace gatehouse::mariadb
