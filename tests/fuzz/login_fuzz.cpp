// A client's first packets: the SSLRequest and the login, under its own capabilities and others'.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/login.h"
#include "gateway/mariadb/packet.h"
#include "gateway/mariadb/plugins.h"
#include "gateway/mariadb/server_name.h"
#include "tests/fuzz/lies_within.h"
#include "tests/fuzz/require.h"

namespace gatehouse::mariadb {

using fuzz::require;

namespace {

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

// Where a gateway of several servers would take it.
void check_routed_login(const Login& login) {
  constexpr std::array<std::string_view, 2> servers{"orders", "billing"};
  const MeantServer meant =
      find_meant_server(login.user, login.attribute("_server_host"), login.database, servers);
  require(login.user.starts_with(meant.user), "of a user at most the end is taken off");
  std::vector<std::uint8_t> packet;
  append_routed_login(packet, 1, login, login.prefix, meant.user);
  const auto again = parse_login(Bytes(packet).subspan(header_size));
  require(again && again->user == meant.user && again->auth.empty() == login.auth.empty() &&
              again->database == login.database && again->plugin == unknown_plugin &&
              as_text(again->attributes) == as_text(login.attributes),
          "a routed login says what the client's said");
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
    check_routed_login(*login);
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
