#include "gateway/cassandra/tokens.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace gatehouse::cassandra {

namespace {

using Kind = Token::Kind;

// Every token as it is written, in order; "<bad>" where the statement ends badly.
std::vector<std::string> cut(std::string_view statement) {
  std::vector<std::string> tokens;
  TokenReader reader(statement);
  for (Token token = reader.next(); token.kind != Kind::end; token = reader.next()) {
    tokens.emplace_back(token.kind == Kind::bad ? "<bad>" : token.text);
    if (token.kind == Kind::bad) break;
  }
  return tokens;
}

Token first(std::string_view statement) {
  return TokenReader(statement).next();
}

}  // namespace

TEST_CASE("a statement is cut where Cassandra cuts it") {
  struct Case {
    std::string_view statement;
    std::vector<std::string> tokens;
  };
  const auto c = GENERATE(values<Case>({
      {"", {}},
      {" \t\r\n ", {}},
      {"SELECT*FROM system.peers_v2;", {"SELECT", "*", "FROM", "system", ".", "peers_v2", ";"}},
      {"a_1b2 12ab", {"a_1b2", "12", "ab"}},
      {"1from", {"1", "from"}},
      {"x='it''s' y", {"x", "=", "'it''s'", "y"}},
      {"'a' 'b'", {"'a'", "'b'"}},
      {"''", {"''"}},
      {R"("a""b"."c")", {R"("a""b")", ".", R"("c")"}},
      {R"("""")", {R"("""")"}},
      {R"(""x)", {R"("")", "x"}},
      {"$$it's \"$ all$$x", {"$$it's \"$ all$$", "x"}},
      {"$$$$", {"$$$$"}},
      {"a--b\nc", {"a", "c"}},
      {"a--b\rc", {"a", "c"}},
      {"a--b", {"a"}},
      {"a//b\nc", {"a", "c"}},
      {"a/**/b/* * / */c", {"a", "b", "c"}},
      {"a/*/b*/c", {"a", "c"}},
      {"a/*b/*c*/d", {"a", "d"}},
      {"-- /*\na/* -- */b", {"a", "b"}},
      {"'--'a", {"'--'", "a"}},
      {"\"/*\"a", {"\"/*\"", "a"}},
      {"a - -b", {"a", "-", "-", "b"}},
      {"5\xC2\xB5s", {"5", "\xC2\xB5", "s"}},
  }));
  CAPTURE(c.statement);
  CHECK(cut(c.statement) == c.tokens);
}

TEST_CASE("what Cassandra's lexer refuses is bad, and everything behind it") {
  const auto statement = GENERATE(values<std::string_view>({
      "'a",         "'a''",          "\"a",  "\"a\"\"", "\"\"\"",
      "$$a$",       "$a$",           "/* a", "/*/",     "\xEF\xBB\xBF a",
      "\xC2\xA0 a", "\xD1\x95ystem", "\f",   "\v",      "_a",
      "@",          "`a`",           "#",    "\\u0073",
  }));
  CAPTURE(statement);
  TokenReader reader(statement);
  CHECK(reader.next().kind == Kind::bad);
  CHECK(reader.next().kind == Kind::bad);
  CHECK(cut(std::string("a ") + std::string(statement)) == std::vector<std::string>{"a", "<bad>"});
}

TEST_CASE("a NUL is bad") {
  CHECK(cut(std::string_view("a\0b", 3)) == std::vector<std::string>{"a", "<bad>"});
}

TEST_CASE("the end goes on") {
  TokenReader reader("a");
  reader.next();
  CHECK(reader.next().kind == Kind::end);
  CHECK(reader.next().kind == Kind::end);
}

TEST_CASE("a word is a name in lower case, a quoted name stays as it is") {
  CHECK(name_of(first("PeErS_V2")) == "peers_v2");
  CHECK(name_of(first(R"("PeErS")")) == "PeErS");
  CHECK(name_of(first(R"("a""""b")")) == R"(a""b)");
}

TEST_CASE("a text stands for what is between its quotes or dollars") {
  CHECK(text_of(first("'lo''cal'")) == "lo'cal");
  CHECK(text_of(first("''")).empty());
  CHECK(text_of(first("''''")) == "'");
  CHECK(text_of(first("$$it's$$")) == "it's");
  CHECK(text_of(first("$$$$")).empty());
}

TEST_CASE("a key word in quotes is none") {
  CHECK(first("From").is_word("from"));
  CHECK_FALSE(first("\"from\"").is_word("from"));
  CHECK_FALSE(first("fromage").is_word("from"));
  CHECK(first(";").is_symbol(';'));
  CHECK_FALSE(first("';'").is_symbol(';'));
}

}  // namespace gatehouse::cassandra
