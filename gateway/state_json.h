// What stands in a file of the state folder: the version of its form, and one value by its name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace gatehouse {

// The value of that name; null where it is missing, or something else stands beside it. Unset:
// `problem` says why this is no such file.
[[nodiscard]] std::optional<boost::json::value> read_state(std::string_view text,
                                                           std::string_view name,
                                                           std::string& problem);
[[nodiscard]] std::string state_text(std::string_view name, boost::json::value value);

}  // namespace gatehouse
