// What of the configuration concerns the audit.
#pragma once

#include <cstdint>
#include <string>

#include "config/configuration.h"

namespace gatehouse {

struct AuditSettings {
  config::Audit audit;
  std::string gateway;             // `name` of gateway.yaml; may be empty
  std::uint32_t sessions = 10000;  // limits.sessions: all of them have room at once

  [[nodiscard]] static AuditSettings of(const config::Configuration& configuration) {
    return {.audit = configuration.audit,
            .gateway = configuration.name,
            .sessions = configuration.limits.sessions};
  }
};

}  // namespace gatehouse
