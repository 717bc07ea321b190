#include "gateway/mariadb/kill.h"

#include <algorithm>
#include <charconv>

#include "gateway/ascii.h"

namespace gatehouse::mariadb {

namespace {

constexpr std::string_view blanks = " \t\n\v\f\r";
// Behind a key word it would be part of the word. So would '_', '$' and what is not ASCII, but with
// those nothing begins that is looked for here.
constexpr bool is_letter_or_digit(char character) noexcept {
  const char lower = to_lower_case(character);
  return (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
}

// Goes through a statement as MariaDB's lexer does (sql/sql_lex.cc), as far as a KILL needs it.
class Scanner {
 public:
  explicit Scanner(std::string_view statement) noexcept : statement_(statement), rest_(statement) {}

  // Whether that key word is next; it is then behind. REQUIRES: lower case.
  bool take(std::string_view word) noexcept {
    skip_blanks();
    if (!equals_ignoring_case(rest_.substr(0, word.size()), word)) return false;
    if (rest_.size() > word.size() && is_letter_or_digit(rest_[word.size()])) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  // No value: no number, or one that is too large.
  std::optional<KillTarget> take_number() noexcept {
    skip_blanks();
    KillTarget number{.at = statement_.size() - rest_.size()};
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number.id);
    if (error != std::errc{}) return std::nullopt;
    number.size = static_cast<std::size_t>(end - rest_.data());
    rest_.remove_prefix(number.size);
    return number;
  }

  bool take_end() noexcept {
    skip_blanks();
    while (rest_.starts_with(';')) {
      rest_.remove_prefix(1);
      skip_blanks();
    }
    return rest_.empty();
  }

 private:
  void skip_blanks() noexcept {
    for (;;) {
      rest_.remove_prefix(std::min(rest_.find_first_not_of(blanks), rest_.size()));
      const std::size_t comment = comment_size();
      if (comment == 0) return;
      rest_.remove_prefix(comment);
    }
  }

  // 0: what is next is none, or has no end, or something to execute in it.
  [[nodiscard]] std::size_t comment_size() const noexcept {
    if (rest_.starts_with('#') || is_at_dashes()) return std::min(rest_.find('\n'), rest_.size());
    if (!rest_.starts_with("/*") || rest_.starts_with("/*!") || rest_.starts_with("/*M!")) return 0;
    const std::size_t end = rest_.find("*/", 2);
    return end == std::string_view::npos ? 0 : end + 2;
  }

  // Two minus signs begin a comment only before a blank: 1--1 is 2.
  [[nodiscard]] bool is_at_dashes() const noexcept {
    return rest_.starts_with("--") &&
           (rest_.size() == 2 || blanks.find(rest_[2]) != std::string_view::npos);
  }

  std::string_view statement_;
  std::string_view rest_;
};

}  // namespace

std::optional<KillTarget> find_kill_target(std::string_view statement) noexcept {
  Scanner scanner(statement);
  if (!scanner.take("kill")) return std::nullopt;
  static_cast<void>(scanner.take("hard") || scanner.take("soft"));
  static_cast<void>(scanner.take("connection") || scanner.take("query"));
  const auto target = scanner.take_number();
  if (!target || !scanner.take_end()) return std::nullopt;
  return target;
}

}  // namespace gatehouse::mariadb
