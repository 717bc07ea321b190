#include "config/diagnostics.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "config/printable.h"

namespace gatehouse::config {

void Diagnostics::error(Location at, std::string message, std::string hint) {
  all_.push_back({std::move(at), Severity::error, std::move(message), std::move(hint)});
  ++errors_;
}

void Diagnostics::warning(Location at, std::string message, std::string hint) {
  all_.push_back({std::move(at), Severity::warning, std::move(message), std::move(hint)});
}

void Diagnostics::sort() {
  std::stable_sort(all_.begin(), all_.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return a.at < b.at; });
  all_.erase(std::unique(all_.begin(), all_.end()), all_.end());
}

std::string to_string(const Diagnostic& diagnostic) {
  std::string out = fmt::format("{}:{}:{}: {}: {}", printable(diagnostic.at.file),
                                diagnostic.at.line, diagnostic.at.column,
                                to_string(diagnostic.severity), printable(diagnostic.message));
  if (!diagnostic.hint.empty()) out += "\n  hint: " + printable(diagnostic.hint);
  return out;
}

std::string_view to_string(Severity severity) noexcept {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
  }
  return "error";
}

}  // namespace gatehouse::config
