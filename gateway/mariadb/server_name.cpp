#include "gateway/mariadb/server_name.h"

#include <algorithm>

#include "gateway/ascii.h"

namespace gatehouse::mariadb {

namespace {

using Servers = std::span<const std::string_view>;

std::optional<std::size_t> find_server(std::string_view name, Servers servers) noexcept {
  const std::string_view label = name.substr(0, name.find('.'));
  const auto found = std::ranges::find_if(
      servers, [label](std::string_view server) { return equals_ignoring_case(label, server); });
  if (found == servers.end()) return std::nullopt;
  return static_cast<std::size_t>(found - servers.begin());
}

}  // namespace

MeantServer find_meant_server(std::string_view user, std::optional<std::string_view> server_host,
                              std::string_view sni, Servers servers) noexcept {
  MeantServer meant{.user = user};
  std::optional<std::size_t> by_user;
  if (const std::size_t at = user.rfind('@'); at != std::string_view::npos) {
    by_user = find_server(user.substr(at + 1), servers);
    if (by_user) meant.user = user.substr(0, at);
  }
  for (const auto& named :
       {by_user, find_server(server_host.value_or(""), servers), find_server(sni, servers)}) {
    if (!named) continue;
    if (meant.outcome == MeantServer::Outcome::named && *named != meant.index) {
      meant.outcome = MeantServer::Outcome::contradictory;
      return meant;
    }
    meant.outcome = MeantServer::Outcome::named;
    meant.index = *named;
  }
  return meant;
}

}  // namespace gatehouse::mariadb
