// Audit events as JSON Lines.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "gateway/observe/audit_event.h"

namespace gatehouse {

inline constexpr std::size_t max_client_text = 256;

// Appends one object, ending in its only newline. `gateway` may be empty. Client-chosen text is cut
// to max_client_text bytes and made valid UTF-8; nothing in any text can end the line.
void append_json_line(std::string& text, const AuditEvent& event,
                      std::chrono::system_clock::time_point time, std::string_view gateway);

// What `sessions` shows: an object of the fields that `closed` has, but for those of the line and
// of the end.
[[nodiscard]] std::string session_json(const SessionRecord& record);

// {file, line, column, severity, message, hint}; an empty hint is null.
[[nodiscard]] boost::json::object to_json(const config::Diagnostic& diagnostic);

}  // namespace gatehouse
