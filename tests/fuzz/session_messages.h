// What clients and servers really say, for a script of a session to name by a number. Only what one
// says can be mutated into what nobody says, within the time that a run has.
#pragma once

#include <vector>

#include "config/configuration.h"
#include "tests/gateway/buffers.h"

namespace gatehouse::fuzz {

using Messages = std::vector<test::Buffer>;

// Whole packets or frames, with the sequence numbers of a login in plain text. Their order is part
// of what kept inputs mean: new ones come last.
[[nodiscard]] const Messages& client_messages(config::Protocol protocol);
[[nodiscard]] const Messages& backend_messages(config::Protocol protocol);

}  // namespace gatehouse::fuzz
