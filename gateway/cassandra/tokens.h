// CQL's words: a statement cut up exactly as Cassandra's lexer does (src/antlr/Lexer.g) wherever it
// matters to what a statement reads. Comments and blanks are gone; inside text literals, quoted
// names and comments nothing is seen.
#pragma once

#include <string>
#include <string_view>

namespace gatehouse::cassandra {

struct Token {
  enum class Kind {
    word,         // a key word or a name, in any case
    quoted_name,  // with its quotes
    text,         // a literal in quotes or dollars, with them
    number,       // digits only: what else a number may have follows as symbols and words
    symbol,       // one character, or a pair of double quotes with nothing in it
    end,
    // What Cassandra's lexer refuses, or may: a literal or comment without an end, a character that
    // begins nothing. All behind it is bad, too.
    bad,
  };
  Kind kind = Kind::end;
  std::string_view text;

  // REQUIRES: `lower_case` has no capital.
  [[nodiscard]] bool is_word(std::string_view lower_case) const noexcept;
  [[nodiscard]] bool is_symbol(char symbol) const noexcept;
  [[nodiscard]] bool is_name() const noexcept {
    return kind == Kind::word || kind == Kind::quoted_name;
  }
};

// The name that a word or a quoted name stands for: words are lower case, quoted ones are as they
// are, with "" for one quote. REQUIRES: is_name().
[[nodiscard]] std::string name_of(const Token& token);
// What a text literal stands for. REQUIRES: kind is text.
[[nodiscard]] std::string text_of(const Token& token);

// Goes through a statement, which must outlive it and its tokens. Takes no memory.
class TokenReader {
 public:
  explicit TokenReader(std::string_view statement) noexcept : rest_(statement) {}

  // At the end there is nothing but ends, behind something bad nothing but bad.
  Token next() noexcept;

 private:
  bool skip_blanks() noexcept;
  Token take(Token::Kind kind, std::size_t size) noexcept;
  Token take_through(Token::Kind kind, std::size_t from, std::string_view closing) noexcept;
  Token take_quoted(Token::Kind kind, char quote) noexcept;
  Token fail() noexcept;

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace gatehouse::cassandra
