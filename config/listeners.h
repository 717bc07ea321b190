// The `listeners` section of gateway.yaml.
#pragma once

#include <vector>

#include "config/configuration.h"
#include "config/reader.h"

namespace gatehouse::config {

// `servers`: those that listeners may lead to; empty if there are none to check against.
[[nodiscard]] std::vector<Listener> read_listeners(const Value& value,
                                                   const std::vector<Server>& servers);

// The `nodes` of a Cassandra listener.
[[nodiscard]] Nodes read_nodes(const Value& value);

}  // namespace gatehouse::config
