// The `limits` section of gateway.yaml.
#include <chrono>
#include <optional>

#include "config/bounds.h"
#include "config/gateway_file.h"
#include "config/values.h"

namespace gatehouse::config {
namespace {

// Unset: off, or a complaint.
std::optional<std::chrono::milliseconds> read_block(const Value& value) {
  if (value.node().kind != YamlKind::text) {
    value.wrong_type("off or a duration");
    return std::nullopt;
  }
  if (value.node().text == "off") return std::nullopt;
  return read_duration(value);
}

FailedLogins read_failed_logins(const Value& value) {
  FailedLogins failed_logins;
  read_fields(value, [&](Fields& fields) {
    fields.read("per_minute", failed_logins.per_minute, integer_between(1, logins_per_minute_max));
    fields.read("block", failed_logins.block, read_block);
  });
  return failed_logins;
}

}  // namespace

Limits read_limits(const Value& value) {
  Limits limits;
  read_fields(value, [&](Fields& fields) {
    fields.read("sessions", limits.sessions, integer_between(1, sessions_max));
    fields.read("sessions_per_source", limits.sessions_per_source,
                integer_between(1, sessions_max));
    fields.read("handshakes", limits.handshakes, integer_between(1, sessions_max));
    fields.read("refusals", limits.refusals, integer_between(0, sessions_max));
    fields.read("handshake_timeout", limits.handshake_timeout, read_duration);
    fields.read("idle_timeout", limits.idle_timeout, read_duration);
    fields.read("drain_timeout", limits.drain_timeout, read_duration_or_none);
    if (const auto failed_logins = fields.find("failed_logins")) {
      limits.failed_logins = read_failed_logins(*failed_logins);
    }
  });
  return limits;
}

}  // namespace gatehouse::config
