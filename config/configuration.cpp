#include "config/configuration.h"

#include <algorithm>

#include <fmt/format.h>

namespace gatehouse::config {

std::string to_string(const SocketAddress& address) {
  const std::string ip = address.ip.to_string();
  return address.ip.is_v4() ? fmt::format("{}:{}", ip, address.port)
                            : fmt::format("[{}]:{}", ip, address.port);
}

bool ProxyProtocol::trusts(const rules::IpAddress& sender) const noexcept {
  return std::any_of(from.begin(), from.end(),
                     [&](const rules::IpRange& range) { return range.contains(sender); });
}

const Server* Configuration::find_server(std::string_view server) const noexcept {
  const auto found = std::find_if(servers.begin(), servers.end(),
                                  [&](const Server& other) { return other.name == server; });
  return found == servers.end() ? nullptr : &*found;
}

const rules::Policy* Configuration::find_policy(std::string_view server) const noexcept {
  const auto found = std::find_if(policies.begin(), policies.end(),
                                  [&](const auto& policy) { return policy->server() == server; });
  return found == policies.end() ? nullptr : found->get();
}

}  // namespace gatehouse::config
