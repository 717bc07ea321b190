// Session records for tests.
#pragma once

#include <string_view>

#include "gateway/observe/audit_event.h"

namespace gatehouse {

inline SessionRecord denied_record(std::string_view address = "198.51.100.7",
                                   std::string_view server = "orders",
                                   rules::Reason reason = rules::Reason::no_matching_rule) {
  SessionRecord record;
  record.session = SessionId{0xab};
  record.listener = "public-mariadb";
  record.server = server;
  record.source.address = *rules::IpAddress::parse(address);
  record.source.port = 40213;
  record.verdict = rules::Verdict::deny;
  record.reason = reason;
  record.snapshot = 3;
  record.close_reason = CloseReason::denied;
  return record;
}

inline SessionRecord allowed_record(std::uint64_t session = 1) {
  SessionRecord record = denied_record("203.0.113.9");
  record.session = SessionId{session};
  record.verdict = rules::Verdict::allow;
  record.reason = rules::Reason::ip_rule;
  record.close_reason = CloseReason::client_closed;
  return record;
}

}  // namespace gatehouse
