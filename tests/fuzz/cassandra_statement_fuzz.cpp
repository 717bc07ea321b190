// A CQL statement, as one that may read the tables that show where nodes are.
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string>

#include "gateway/cassandra/statement.h"
#include "tests/fuzz/require.h"

namespace gatehouse::cassandra {

using fuzz::require;
using Kind = Statement::Kind;

namespace {

// The same to Cassandra: key words and names in capitals, a comment wherever there was a blank.
std::string written_otherwise(std::string_view text) {
  std::string other = "// x\n";
  TokenReader reader(text);
  const char* end = nullptr;
  for (Token token = reader.next(); token.kind != Token::Kind::end; token = reader.next()) {
    if (token.kind == Token::Kind::bad) return {};
    if (token.text.data() != end) other += "\t/* FROM system.peers ' */--\n";
    for (const char character : token.text) {
      const bool is_word = token.kind == Token::Kind::word;
      other.push_back(is_word ? static_cast<char>(std::toupper(character)) : character);
    }
    end = token.text.data() + token.text.size();
  }
  return other + " -- end";
}

std::string quoted(std::string_view name, char quote) {
  std::string text(1, quote);
  for (const char character : name) text.append(character == quote ? 2 : 1, character);
  return text + quote;
}

std::string operand_text(const TopologySelect& select, const Operand& operand) {
  if (operand.kind == Operand::Kind::text) return quoted(operand.text, '\'');
  if (operand.kind == Operand::Kind::number) return operand.text;
  const std::string& name = select.markers.at(operand.marker);
  return name.empty() ? "?" : ":" + quoted(name, '"');
}

// From what was understood, a statement that means it.
std::string statement_text(const Statement& statement) {
  const TopologySelect& select = statement.select;
  std::string text = "SELECT ";
  for (const Selector& selector : select.selectors) {
    if (text.size() > 7) text += ", ";
    text += selector.is_count ? "count(*)" : quoted(selector.column, '"');
    if (!selector.alias.empty()) text += " AS " + quoted(selector.alias, '"');
  }
  if (select.selectors.empty()) text += "*";
  text += " FROM " + statement.keyspace + "." + statement.table;
  const char* before = " WHERE ";
  for (const Relation& relation : select.where) {
    text += before + quoted(relation.column, '"') + " = " + operand_text(select, relation.value);
    before = " AND ";
  }
  if (select.limit) text += " LIMIT " + operand_text(select, *select.limit);
  return text;
}

bool same(const Statement& one, const Statement& other) {
  return one.kind == other.kind && one.keyspace == other.keyspace && one.table == other.table &&
         one.select == other.select;
}

void check(std::string_view text, std::string_view keyspace) {
  const Statement statement = classify(text, keyspace);
  const std::string other = written_otherwise(text);
  require(other.empty() || same(statement, classify(other, keyspace)),
          "how a statement is written changes nothing");
  if (statement.kind == Kind::topology) {
    require(same(statement, classify(statement_text(statement), "shop")),
            "what was understood can be said again");
  }
  const bool on_system =
      statement.kind == Kind::topology || statement.kind == Kind::functions_of_local ||
      statement.kind == Kind::system_select || statement.kind == Kind::system_change;
  require(!on_system || is_system_keyspace(statement.keyspace), "it is the system's keyspace");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(text, "");
  check(text, "shop");
  check(text, "system");
  // A SELECT that is let through as any other is one that names a keyspace of its own, or none.
  if (classify(text, "shop").kind == Kind::other && classify(text, "system").kind != Kind::other) {
    const std::string in_system = written_otherwise(text);
    require(in_system.empty() || classify(in_system, "system_x").kind != Kind::other,
            "names without a keyspace are in the one in use, whichever it is");
  }
  return 0;
}

}  // namespace gatehouse::cassandra
