#include "gateway/notify.h"

#ifdef GATEHOUSE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace gatehouse {

void notify_supervisor([[maybe_unused]] const char* state) noexcept {
#ifdef GATEHOUSE_SYSTEMD
  sd_notify(0, state);
#endif
}

}  // namespace gatehouse
