// A client's first packets: the SSLRequest and the login, under its own capabilities and others'.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/login.h"
#include "gateway/mariadb/packet.h"
#include "tests/fuzz/require.h"

namespace gatehouse::mariadb {

using fuzz::require;

namespace {

bool lies_within(std::string_view part, Bytes whole) {
  const std::string_view text = as_text(whole);
  return part.empty() ||
         (part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size());
}

void check(const Login& login, Bytes payload) {
  require(lies_within(login.user, payload), "the user lies within the packet");
  require(lies_within(as_text(login.auth), payload), "the answer lies within the packet");
  require(lies_within(login.database, payload), "the database lies within the packet");
  require(lies_within(login.plugin.value_or(""), payload), "the plugin lies within the packet");
  require(lies_within(as_text(login.attributes), payload), "attributes lie within the packet");
  for (const std::string_view key : {"program_name", "_client_name", ""}) {
    require(lies_within(login.attribute(key).value_or(""), login.attributes),
            "an attribute lies within the attributes");
  }
}

void check_absent_login(const LoginPrefix& prefix) {
  std::vector<std::uint8_t> packet;
  append_absent_login(packet, 1, prefix);
  const auto login = parse_login(Bytes(packet).subspan(header_size));
  require(login && login->user == absent_user && login->auth.empty(),
          "the absent user's login can be read under any capabilities");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes payload(data, size);
  if (const auto request = parse_ssl_request(payload)) {
    std::vector<std::uint8_t> packet;
    append_ssl_request(packet, 1, *request);
    const auto again = parse_ssl_request(Bytes(packet).subspan(header_size));
    require(again && again->capabilities == request->capabilities &&
                again->max_packet == request->max_packet && again->charset == request->charset,
            "an SSLRequest is read as it was written");
  }

  constexpr std::array<std::optional<std::uint64_t>, 3> governing{
      std::nullopt, capability::protocol_41, ~std::uint64_t{0}};
  for (const auto& capabilities : governing) {
    const auto login = parse_login(payload, capabilities);
    if (!login) continue;
    check(*login, payload);
    check_absent_login(login->prefix);
  }

  const auto login = parse_login(payload);
  if (!login) return 0;
  std::vector<std::uint8_t> relayed(payload.begin(), payload.end());
  set_login_capabilities(relayed, login->prefix.capabilities & ~capability::compress);
  const auto again = parse_login(relayed);
  require(again && again->user == login->user && again->database == login->database &&
              again->plugin == login->plugin,
          "a login with fewer capabilities is the same login");
  return 0;
}

}  // namespace gatehouse::mariadb
