// gateway.yaml as a whole.
#pragma once

#include <optional>

#include "config/configuration.h"
#include "config/reader.h"

namespace gatehouse::config {

// Fills in all of `configuration` but its policies and where it lies. Returns the folder of the
// rule files.
[[nodiscard]] std::optional<FileReference> read_gateway_file(const Value& document,
                                                             Configuration& configuration);

[[nodiscard]] Limits read_limits(const Value& value);

}  // namespace gatehouse::config
