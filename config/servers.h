// The `servers` section of gateway.yaml.
#pragma once

#include <vector>

#include "config/configuration.h"
#include "config/reader.h"

namespace gatehouse::config {

[[nodiscard]] std::optional<Protocol> read_protocol(const Value& value);

[[nodiscard]] std::vector<Server> read_servers(const Value& value);

}  // namespace gatehouse::config
