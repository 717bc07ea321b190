#include "config/diagnostics.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace gatehouse::config {
namespace {

// What an operator wrote may stand in a message and end up on a terminal: nothing in it may move
// the cursor or forge a line. Bytes from 0x80 on pass, but for the C1 controls (U+0080 to U+009F).
std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool starts_c1 = byte == 0xC2 && i + 1 < text.size() &&
                           static_cast<unsigned char>(text[i + 1]) >= 0x80 &&
                           static_cast<unsigned char>(text[i + 1]) <= 0x9F;
    if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else if (starts_c1) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(text[++i]));
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

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
  std::string out = fmt::format("{}:{}:{}: {}: {}", escaped(diagnostic.at.file), diagnostic.at.line,
                                diagnostic.at.column, to_string(diagnostic.severity),
                                escaped(diagnostic.message));
  if (!diagnostic.hint.empty()) out += "\n  hint: " + escaped(diagnostic.hint);
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
