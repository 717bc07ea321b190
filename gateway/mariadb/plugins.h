// The authentication plugins that the gateway itself names.
#pragma once

#include <string_view>

namespace gatehouse::mariadb {

// Every client has it, and some accept a greeting of no other.
inline constexpr std::string_view native_password = "mysql_native_password";
// No server has it: one that is offered it answers with an AuthSwitch, which holds its own nonce.
inline constexpr std::string_view unknown_plugin = "gatehouse_switch";

}  // namespace gatehouse::mariadb
