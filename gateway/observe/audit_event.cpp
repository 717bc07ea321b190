#include "gateway/observe/audit_event.h"

#include <charconv>

#include <fmt/compile.h>

namespace gatehouse {

std::string to_string(SessionId id) {
  return fmt::format(FMT_COMPILE("{:016x}"), static_cast<std::uint64_t>(id));
}

std::optional<SessionId> parse_session_id(std::string_view text) noexcept {
  constexpr std::size_t digits = 16;
  if (text.size() != digits) return std::nullopt;
  if (text.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return SessionId{value};
}

void SessionRecord::set_decision(const rules::Decision& decision, std::uint64_t generation) {
  verdict = decision.verdict;
  reason = decision.reason;
  rule.reset();
  if (decision.rule != nullptr) {
    rule = AuditRule{.name = decision.rule->name,
                     .file = decision.rule->origin.file,
                     .line = decision.rule->origin.line};
  }
  snapshot = generation;
}

}  // namespace gatehouse
