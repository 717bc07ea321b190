// A client's COM_CHANGE_USER. The first byte of an input chooses the capabilities.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/change_user.h"
#include "gateway/mariadb/packet.h"
#include "tests/fuzz/lies_within.h"
#include "tests/fuzz/require.h"

namespace gatehouse::mariadb {

using fuzz::require;

namespace {

std::uint64_t chosen(std::uint8_t choice) {
  std::uint64_t capabilities = capability::protocol_41;
  if ((choice & 1) != 0) capabilities |= capability::secure_connection;
  if ((choice & 2) != 0) capabilities |= capability::plugin_auth_lenenc;
  if ((choice & 4) != 0) capabilities |= capability::plugin_auth;
  if ((choice & 8) != 0) capabilities |= capability::connect_attributes;
  return capabilities;
}

void check(const ChangeUser& change, Bytes payload) {
  require(lies_within(change.user, payload), "the user lies within the packet");
  require(lies_within(as_text(change.auth), payload), "the answer lies within the packet");
  require(lies_within(change.database, payload), "the database lies within the packet");
  require(lies_within(change.plugin.value_or(""), payload), "the plugin lies within the packet");
  require(lies_within(as_text(change.attributes), payload), "attributes lie within the packet");
  for (const std::string_view key : {"_server_host", ""}) {
    require(lies_within(change.attribute(key).value_or(""), change.attributes),
            "an attribute lies within the attributes");
  }
}

void check_written(const ChangeUser& change, std::uint64_t capabilities) {
  constexpr std::string_view user = "somebody else";
  std::vector<std::uint8_t> packet;
  append_change_user(packet, change, user, capabilities);
  const auto again = parse_change_user(Bytes(packet).subspan(header_size), capabilities);
  require(again && again->user == user && as_text(again->auth) == as_text(change.auth) &&
              again->database == change.database && again->charset == change.charset &&
              as_text(again->attributes) == as_text(change.attributes),
          "as another user it is the same otherwise");
  require(!change.plugin || again->plugin == change.plugin, "the plugin is the same");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes payload(data + 1, size - 1);
  const std::uint64_t capabilities = chosen(data[0]);
  const auto change = parse_change_user(payload, capabilities);
  if (!change) return 0;
  check(*change, payload);
  check_written(*change, capabilities);
  check_written(*change, capabilities | capability::plugin_auth);
  return 0;
}

}  // namespace gatehouse::mariadb
