// The `networks` section of gateway.yaml.
#pragma once

#include <vector>

#include "config/configuration.h"
#include "config/reader.h"
#include "rules/networks.h"

namespace gatehouse::config {

// `listeners`: those that a network may be matched by; empty if there are none to check against.
[[nodiscard]] std::vector<rules::Network> read_networks(const Value& value,
                                                        const std::vector<Listener>& listeners);

}  // namespace gatehouse::config
