// The process that the gateway is: what it may open, under whose name it runs, what it cannot
// change while it runs. Each warning goes to the log.
#pragma once

#include <string>

#include "config/configuration.h"
#include "gateway/observe/log.h"

namespace gatehouse {

// Empty where the account has no name: nobody can be taken for it then.
[[nodiscard]] std::string name_of_own_user();

// Behind a unix socket a database takes the gateway's own user for who calls.
void warn_of_own_user(const config::Configuration& configuration, const std::string& own_user,
                      Log& log);
void warn_of_settings_to_restart_for(const config::Configuration& now,
                                     const config::Configuration& next, Log& log);
// As far as the system lets it; warns where that is too little for these limits.
void raise_descriptor_limit(const config::Limits& limits, Log& log);

}  // namespace gatehouse
