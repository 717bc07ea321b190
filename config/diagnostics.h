// What is wrong with what an operator wrote, and where. Every problem of every file is collected,
// so that one run shows them all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::config {

// Counted from 1. `file` as seen from the folder of gateway.yaml.
struct Location {
  std::string file;
  int line = 1;
  int column = 1;
  friend auto operator<=>(const Location&, const Location&) = default;
};

enum class Severity { error, warning };

struct Diagnostic {
  Location at;
  Severity severity = Severity::error;
  std::string message;
  std::string hint;  // may be empty
  friend bool operator==(const Diagnostic&, const Diagnostic&) = default;
};

class Diagnostics {
 public:
  void error(Location at, std::string message, std::string hint = {});
  void warning(Location at, std::string message, std::string hint = {});

  [[nodiscard]] bool has_errors() const noexcept { return errors_ > 0; }
  [[nodiscard]] const std::vector<Diagnostic>& all() const noexcept { return all_; }
  // By file, line and column; what stands at one place keeps the order in which it was found. The
  // same words at the same place are kept once: a value behind a YAML alias is read where it is
  // used, perhaps often.
  void sort();

 private:
  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
};

// `file:line:column: error: message`, and a second line `  hint: …` where there is one. No newline
// at the end. Control characters in what an operator wrote are escaped.
[[nodiscard]] std::string to_string(const Diagnostic& diagnostic);
[[nodiscard]] std::string_view to_string(Severity severity) noexcept;

}  // namespace gatehouse::config
