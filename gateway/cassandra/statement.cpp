#include "gateway/cassandra/statement.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "gateway/ascii.h"
#include "gateway/cassandra/tokens.h"

namespace gatehouse::cassandra {

namespace {

using Kind = Statement::Kind;

constexpr std::string_view system_keyspace = "system";

// Statements that show no rows of a table, whatever they name.
constexpr std::array<std::string_view, 3> definitions{"alter", "create", "drop"};
constexpr std::array<std::string_view, 4> permissions{"add", "grant", "list", "revoke"};

template <typename Words>
bool is_one_of(const Words& words, const Token& token) noexcept {
  return std::ranges::any_of(words, [&](std::string_view word) { return token.is_word(word); });
}

struct TableName {
  std::string keyspace;
  std::string table;
};

// The name of a table, and what follows it.
struct NamedTable {
  TableName name;
  Token next;
  TokenReader rest;  // `next` is the first that it reads
};

// No value: not a name, or one of too many parts.
std::optional<NamedTable> read_table(TokenReader reader, std::string_view keyspace) {
  const Token first = reader.next();
  if (!first.is_name()) return std::nullopt;
  NamedTable named{{std::string(keyspace), name_of(first)}, {}, reader};
  Token next = reader.next();
  if (next.is_symbol('.')) {
    const Token second = reader.next();
    if (!second.is_name()) return std::nullopt;
    named.name = {name_of(first), name_of(second)};
    named.rest = reader;
    next = reader.next();
    if (next.is_symbol('.')) return std::nullopt;
  }
  named.next = next;
  return named;
}

Statement of_table(Kind kind, TableName name) {
  return {.kind = kind, .keyspace = std::move(name.keyspace), .table = std::move(name.table)};
}

std::optional<TopologyTable> topology_table(const TableName& name) noexcept {
  if (name.keyspace != system_keyspace) return std::nullopt;
  if (name.table == "local") return TopologyTable::local;
  if (name.table == "peers") return TopologyTable::peers;
  if (name.table == "peers_v2") return TopologyTable::peers_v2;
  return std::nullopt;
}

// FROM is a reserved word: a SELECT that Cassandra runs has it once, before its table.
std::optional<TokenReader> behind_only_from(TokenReader reader) noexcept {
  std::optional<TokenReader> found;
  for (;;) {
    const Token token = reader.next();
    if (token.kind == Token::Kind::bad) return std::nullopt;
    if (token.kind == Token::Kind::end) return found;
    if (!token.is_word("from")) continue;
    if (found) return std::nullopt;
    found = reader;
  }
}

Statement classify_select(TokenReader selectors, std::string_view keyspace) {
  const auto from = behind_only_from(selectors);
  if (!from) return {};
  auto named = read_table(*from, keyspace);
  if (!named) return {};
  if (!is_system_keyspace(named->name.keyspace)) return {.kind = Kind::other};
  const auto table = topology_table(named->name);
  if (!table) return of_table(Kind::system_select, std::move(named->name));

  const SelectParts parts{selectors, named->rest};
  Statement statement = of_table(Kind::unreadable, std::move(named->name));
  if (auto select = parse_topology_select(parts, *table)) {
    statement.kind = Kind::topology;
    statement.select = std::move(*select);
  } else if (*table == TopologyTable::local && selects_functions_only(parts)) {
    statement.kind = Kind::functions_of_local;
  }
  return statement;
}

Statement classify_change(TokenReader behind_key_word, std::string_view keyspace) {
  auto named = read_table(behind_key_word, keyspace);
  if (!named) return {};
  if (!is_system_keyspace(named->name.keyspace)) return {.kind = Kind::other};
  return of_table(Kind::system_change, std::move(named->name));
}

Statement classify_insert(TokenReader reader, std::string_view keyspace) {
  if (!reader.next().is_word("into")) return {};
  return classify_change(reader, keyspace);
}

Statement classify_delete(TokenReader reader, std::string_view keyspace) {
  const auto from = behind_only_from(reader);
  return from ? classify_change(*from, keyspace) : Statement{};
}

Statement classify_truncate(TokenReader reader, std::string_view keyspace) {
  TokenReader behind_table = reader;
  const Token first = behind_table.next();
  const bool says_table = first.is_word("table") || first.is_word("columnfamily");
  return classify_change(says_table ? behind_table : reader, keyspace);
}

// BEGIN BATCH, in which each statement names its table behind one of three reserved words.
Statement classify_batch(TokenReader reader, std::string_view keyspace) {
  for (;;) {
    const Token token = reader.next();
    if (token.kind == Token::Kind::bad) return {};
    if (token.kind == Token::Kind::end) return {.kind = Kind::other};
    if (!token.is_word("into") && !token.is_word("update") && !token.is_word("from")) continue;
    Statement change = classify_change(reader, keyspace);
    if (change.kind != Kind::other) return change;
  }
}

Statement classify_use(TokenReader reader) {
  const Token name = reader.next();
  if (!name.is_name()) return {};
  Token next = reader.next();
  while (next.is_symbol(';')) next = reader.next();
  if (next.kind != Token::Kind::end) return {};
  return {.kind = Kind::use, .keyspace = name_of(name)};
}

Statement classify_describe(TokenReader reader) {
  const Token what = reader.next();
  if (!what.is_name()) return {};
  return {.kind = what.is_word("cluster") ? Kind::describe_cluster : Kind::describe};
}

}  // namespace

bool is_system_keyspace(std::string_view keyspace) noexcept {
  return equals_ignoring_case(keyspace.substr(0, system_keyspace.size()), system_keyspace) &&
         (keyspace.size() == system_keyspace.size() || keyspace[system_keyspace.size()] == '_');
}

Statement classify(std::string_view text, std::string_view keyspace) {
  TokenReader reader(text);
  const Token first = reader.next();
  const bool is_read_through =
      first.is_word("select") || first.is_word("delete") || first.is_word("begin");
  if (is_read_through && text.size() > statement_size_max) return {};
  if (first.is_word("select")) return classify_select(reader, keyspace);
  if (first.is_word("insert")) return classify_insert(reader, keyspace);
  if (first.is_word("update")) return classify_change(reader, keyspace);
  if (first.is_word("delete")) return classify_delete(reader, keyspace);
  if (first.is_word("begin")) return classify_batch(reader, keyspace);
  if (first.is_word("truncate")) return classify_truncate(reader, keyspace);
  if (first.is_word("use")) return classify_use(reader);
  if (first.is_word("describe") || first.is_word("desc")) return classify_describe(reader);
  if (is_one_of(definitions, first)) return {.kind = Kind::definition};
  const bool is_harmless = first.kind == Token::Kind::end || is_one_of(permissions, first);
  return {.kind = is_harmless ? Kind::other : Kind::unreadable};
}

}  // namespace gatehouse::cassandra
