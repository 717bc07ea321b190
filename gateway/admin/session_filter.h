// Which sessions a command means: all that match every part that is given.
#pragma once

#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "gateway/observe/audit_event.h"
#include "rules/ip_address.h"

namespace gatehouse {

struct SessionFilter {
  std::optional<SessionId> session;
  std::optional<std::string> server;
  std::optional<rules::IpRange> from;
  std::optional<std::string> user;
  std::optional<std::string> rule;

  // From the members session, server, from, user and rule of a request. A part that cannot be read
  // is an error, never ignored: it would mean more sessions than were asked for. `error` is then
  // what is wrong.
  static std::optional<SessionFilter> parse(const boost::json::object& request, std::string& error);

  [[nodiscard]] bool matches(const SessionRecord& record) const;
  [[nodiscard]] bool means_all() const { return !session && !server && !from && !user && !rule; }
};

}  // namespace gatehouse
