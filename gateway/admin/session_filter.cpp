#include "gateway/admin/session_filter.h"

#include <fmt/format.h>

namespace gatehouse {

std::optional<SessionFilter> SessionFilter::parse(const boost::json::object& request,
                                                  std::string& error) {
  SessionFilter filter;
  for (const auto& [key, value] : request) {
    if (key == "command") continue;
    if (!value.is_string()) {
      error = fmt::format("'{}' must be text", std::string(key));
      return std::nullopt;
    }
    const std::string text(value.as_string());
    if (key == "session") {
      filter.session = parse_session_id(text);
      if (!filter.session)
        error = fmt::format("'{}' is not a session: it has 16 hexadecimal digits", text);
    } else if (key == "server") {
      filter.server = text;
    } else if (key == "from") {
      const auto range = rules::IpRange::parse(text);
      filter.from = range.range;
      if (range.error) error = fmt::format("'{}' is not an address, a block or a range", text);
    } else if (key == "user") {
      filter.user = text;
    } else if (key == "rule") {
      filter.rule = text;
    } else {
      error = fmt::format("unknown key '{}'", std::string(key));
    }
    if (!error.empty()) return std::nullopt;
  }
  return filter;
}

bool SessionFilter::matches(const SessionRecord& record) const {
  if (session && record.session != *session) return false;
  if (server && record.server != *server) return false;
  if (from && !from->contains(record.source.address)) return false;
  if (user && record.user != *user) return false;
  return !rule || (record.rule && record.rule->name == *rule);
}

}  // namespace gatehouse
