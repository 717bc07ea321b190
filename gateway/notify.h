// Tells the supervisor (systemd's sd_notify) how the process is. Does nothing where there is none.
#pragma once

namespace gatehouse {

// "READY=1", "STOPPING=1".
void notify_supervisor(const char* state) noexcept;

}  // namespace gatehouse
