#include "gateway/cassandra/topology_select.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gatehouse::cassandra {

namespace {

// Each of the three tables has fewer columns. A few of them twice is fine, a million is an attack.
constexpr std::size_t selectors_max = 64;
constexpr std::size_t relations_max = 16;
constexpr std::size_t digits_max = 10;  // of a port or a limit

// Reads with one token in sight. After a read that fails nothing else fits.
class SelectParser {
 public:
  SelectParser(TokenReader reader, TopologySelect& select) noexcept
      : reader_(reader), token_(reader_.next()), select_(select) {}

  bool parse_selectors() {
    if (token_.is_symbol('*')) {
      advance();
      return token_.is_word("from");
    }
    do {
      if (select_.selectors.size() == selectors_max || !parse_selector()) return false;
    } while (take_symbol(','));
    return token_.is_word("from");
  }

  bool parse_tail() {
    if (take_word("where")) {
      do {
        if (select_.where.size() == relations_max || !parse_relation()) return false;
      } while (take_word("and"));
    }
    if (take_word("limit")) {
      select_.limit = parse_operand();
      if (!select_.limit || select_.limit->kind == Operand::Kind::text) return false;
    }
    if (take_word("allow") && !take_word("filtering")) return false;
    while (take_symbol(';')) {
    }
    return token_.kind == Token::Kind::end;
  }

 private:
  void advance() noexcept { token_ = reader_.next(); }

  bool take_word(std::string_view word) noexcept {
    if (!token_.is_word(word)) return false;
    advance();
    return true;
  }

  bool take_symbol(char symbol) noexcept {
    if (!token_.is_symbol(symbol)) return false;
    advance();
    return true;
  }

  bool parse_selector() {
    if (!token_.is_name() || token_.is_word("from")) return false;
    Selector selector;
    const bool may_be_count = token_.is_word("count");
    selector.column = name_of(token_);
    advance();
    if (may_be_count && take_symbol('(')) {
      if (!take_symbol('*') || !take_symbol(')')) return false;
      selector = {.is_count = true};
    }
    if (take_word("as")) {
      if (!token_.is_name()) return false;
      selector.alias = name_of(token_);
      advance();
    }
    select_.selectors.push_back(std::move(selector));
    return true;
  }

  bool parse_relation() {
    if (!token_.is_name()) return false;
    Relation relation{.column = name_of(token_)};
    advance();
    if (!take_symbol('=')) return false;
    auto value = parse_operand();
    if (!value) return false;
    relation.value = std::move(*value);
    select_.where.push_back(std::move(relation));
    return true;
  }

  std::optional<Operand> parse_operand() {
    if (token_.kind == Token::Kind::text) {
      Operand operand{.kind = Operand::Kind::text, .text = text_of(token_)};
      advance();
      return operand;
    }
    if (token_.kind == Token::Kind::number && token_.text.size() <= digits_max) {
      Operand operand{.kind = Operand::Kind::number, .text = std::string(token_.text)};
      advance();
      return operand;
    }
    if (take_symbol('?')) return marker({});
    if (!take_symbol(':') || !token_.is_name()) return std::nullopt;
    std::string name = name_of(token_);
    advance();
    return marker(std::move(name));
  }

  Operand marker(std::string name) {
    select_.markers.push_back(std::move(name));
    return {.kind = Operand::Kind::marker, .marker = select_.markers.size() - 1};
  }

  TokenReader reader_;
  Token token_;
  TopologySelect& select_;
};

bool is_harmless_function(const Token& token) noexcept {
  constexpr std::array<std::string_view, 18> functions{
      "now",
      "uuid",
      "currentdate",
      "currenttime",
      "currenttimestamp",
      "currenttimeuuid",
      "current_date",
      "current_time",
      "current_timestamp",
      "current_timeuuid",
      "dateof",
      "todate",
      "totimestamp",
      "tounixtimestamp",
      "to_date",
      "to_timestamp",
      "to_unix_timestamp",
      "unixtimestampof",
  };
  return std::ranges::any_of(functions, [&](std::string_view name) { return token.is_word(name); });
}

// Whether there is nothing before FROM but harmless functions of each other.
bool are_functions(TokenReader reader) {
  for (;;) {
    Token token = reader.next();
    if (token.is_word("from")) return true;
    if (token.is_word("as")) {
      if (!reader.next().is_name()) return false;
    } else if (token.is_name()) {
      if (!is_harmless_function(token)) return false;
      token = reader.next();
      if (!token.is_symbol('(')) return false;
    } else if (!token.is_symbol('(') && !token.is_symbol(')') && !token.is_symbol(',')) {
      return false;
    }
  }
}

}  // namespace

std::optional<TopologySelect> parse_topology_select(const SelectParts& parts, TopologyTable table) {
  TopologySelect select{.table = table};
  if (!SelectParser(parts.selectors, select).parse_selectors()) return std::nullopt;
  if (!SelectParser(parts.tail, select).parse_tail()) return std::nullopt;
  return select;
}

bool selects_functions_only(const SelectParts& parts) {
  if (!are_functions(parts.selectors)) return false;
  TopologySelect select;
  if (!SelectParser(parts.tail, select).parse_tail()) return false;
  const Relation only_row{.column = "key", .value = {.kind = Operand::Kind::text, .text = "local"}};
  return std::ranges::all_of(select.where,
                             [&](const Relation& relation) { return relation == only_row; });
}

}  // namespace gatehouse::cassandra
