#include "gateway/cassandra/tokens.h"

#include <algorithm>

#include "gateway/ascii.h"

namespace gatehouse::cassandra {

namespace {

constexpr std::string_view blanks = " \t\n\r";  // and no other: a form feed is an error
constexpr std::string_view symbols = ",.()[]{}:;=<>+-*/%?!";
constexpr std::string_view micro = "\xC2\xB5";  // of durations
constexpr std::string_view dollars = "$$";
constexpr std::string_view no_name = "\"\"";  // a column of old tables, and no other name

constexpr bool is_digit(char character) noexcept {
  return character >= '0' && character <= '9';
}
constexpr bool is_letter(char character) noexcept {
  const char lower = to_lower_case(character);
  return lower >= 'a' && lower <= 'z';
}
constexpr bool goes_on_in_word(char character) noexcept {
  return is_letter(character) || is_digit(character) || character == '_';
}

template <typename Predicate>
std::size_t run_of(std::string_view text, Predicate predicate) noexcept {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), predicate) -
                                  text.begin());
}

// What is between the outermost characters, where the quote itself is written twice.
std::string without_quotes(std::string_view quoted) {
  const char quote = quoted.front();
  std::string plain;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    plain.push_back(quoted[i]);
    if (quoted[i] == quote) ++i;
  }
  return plain;
}

}  // namespace

bool Token::is_word(std::string_view lower_case) const noexcept {
  return kind == Kind::word && equals_ignoring_case(text, lower_case);
}

bool Token::is_symbol(char symbol) const noexcept {
  return kind == Kind::symbol && text.front() == symbol;
}

std::string name_of(const Token& token) {
  if (token.kind == Token::Kind::quoted_name) return without_quotes(token.text);
  std::string name(token.text);
  std::ranges::transform(name, name.begin(), to_lower_case);
  return name;
}

std::string text_of(const Token& token) {
  if (!token.text.starts_with(dollars)) return without_quotes(token.text);
  return std::string(token.text.substr(2, token.text.size() - 4));
}

Token TokenReader::next() noexcept {
  if (failed_ || !skip_blanks()) return fail();
  if (rest_.empty()) return {};
  const char first = rest_.front();
  if (is_letter(first)) return take(Token::Kind::word, run_of(rest_, goes_on_in_word));
  if (is_digit(first)) return take(Token::Kind::number, run_of(rest_, is_digit));
  if (first == '\'') return take_quoted(Token::Kind::text, first);
  if (first == '"') {
    const bool is_empty = rest_.starts_with(no_name) && !rest_.starts_with("\"\"\"");
    return is_empty ? take(Token::Kind::symbol, no_name.size())
                    : take_quoted(Token::Kind::quoted_name, first);
  }
  if (rest_.starts_with(dollars)) return take_through(Token::Kind::text, 2, dollars);
  if (symbols.find(first) != std::string_view::npos) return take(Token::Kind::symbol, 1);
  if (rest_.starts_with(micro)) return take(Token::Kind::symbol, micro.size());
  return fail();
}

// False: a comment that does not end.
bool TokenReader::skip_blanks() noexcept {
  for (;;) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(blanks), rest_.size()));
    if (rest_.starts_with("--") || rest_.starts_with("//")) {
      // Cassandra wants an end of line even behind the last one, and may once not want it.
      rest_.remove_prefix(std::min(rest_.find_first_of("\n\r"), rest_.size()));
    } else if (rest_.starts_with("/*")) {
      const std::size_t end = rest_.find("*/", 2);
      if (end == std::string_view::npos) return false;
      rest_.remove_prefix(end + 2);
    } else {
      return true;
    }
  }
}

Token TokenReader::take(Token::Kind kind, std::size_t size) noexcept {
  const Token token{kind, rest_.substr(0, size)};
  rest_.remove_prefix(size);
  return token;
}

Token TokenReader::take_through(Token::Kind kind, std::size_t from,
                                std::string_view closing) noexcept {
  const std::size_t end = rest_.find(closing, from);
  if (end == std::string_view::npos) return fail();
  return take(kind, end + closing.size());
}

Token TokenReader::take_quoted(Token::Kind kind, char quote) noexcept {
  std::size_t end = rest_.find(quote, 1);
  while (end != std::string_view::npos && end + 1 < rest_.size() && rest_[end + 1] == quote) {
    end = rest_.find(quote, end + 2);
  }
  return end == std::string_view::npos ? fail() : take(kind, end + 1);
}

Token TokenReader::fail() noexcept {
  failed_ = true;
  return {Token::Kind::bad, {}};
}

}  // namespace gatehouse::cassandra
