// The nodes that a connection may be made to: those that the configuration names, and those of a
// ring.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/configuration.h"
#include "gateway/cassandra/ring.h"

namespace gatehouse::cassandra {

[[nodiscard]] rules::IpAddress to_ip(const InetAddress& address) noexcept;
[[nodiscard]] InetAddress to_inet(const rules::IpAddress& address) noexcept;

struct Candidate {
  config::BackendPlace place;
  std::string text;             // what logs and the audit call it, and no client
  std::optional<Uuid> host_id;  // of one of the ring
};
[[nodiscard]] Candidate candidate_of(const config::Backend& backend);
[[nodiscard]] Candidate candidate_of(const Node& node);

}  // namespace gatehouse::cassandra
