#include "gateway/cassandra/topology_plan.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "rules/ip_address.h"

namespace gatehouse::cassandra {

namespace {

using Cell = std::vector<std::uint8_t>;

std::optional<std::int32_t> parse_int(std::string_view digits) noexcept {
  std::int32_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stopped_at, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc() || stopped_at != end) return std::nullopt;
  return value;
}

std::string not_an_int(const std::string& digits) {
  return "Unable to make int from '" + digits + "'";
}

// False: it is no address. A name is none, either, whatever Java would find for it.
bool append_inet(Cell& cell, std::string_view text) {
  const auto address = rules::IpAddress::parse(text);
  if (!address) return false;
  if (address->is_v4()) {
    append_u32(cell, address->v4_value());
  } else {
    append_bytes(cell, address->v6_bytes());
  }
  return true;
}

Refusal read_literal(const Operand& literal, const Column& column, Cell& value) {
  const bool is_text = literal.kind == Operand::Kind::text;
  if (is_text && column.type.id == type_id::text) {
    append_bytes(value, bytes_of(literal.text));
  } else if (is_text && column.type.id == type_id::inet) {
    if (!append_inet(value, literal.text)) {
      return "Unable to make inet address from '" + literal.text + "'";
    }
  } else if (!is_text && column.type.id == type_id::int32) {
    const auto number = parse_int(literal.text);
    if (!number) return not_an_int(literal.text);
    append_u32(value, static_cast<std::uint32_t>(*number));
  } else {
    return std::string(is_text ? "Invalid STRING constant (" : "Invalid INTEGER constant (") +
           literal.text + ") for \"" + std::string(column.name) + "\" of type " +
           std::string(name_of(column.type));
  }
  return std::nullopt;
}

}  // namespace

Refusal TopologyPlan::make(bool has_ports) {
  table_ = topology_columns(select_.table, has_ports);
  if (table_.empty()) return "unconfigured table " + std::string(name_of(select_.table));
  markers_.resize(select_.markers.size());
  if (auto refusal = add_selectors()) return refusal;
  for (const Relation& relation : select_.where) {
    if (auto refusal = add_condition(relation)) return refusal;
  }
  return add_limit();
}

bool TopologyPlan::has_count() const noexcept {
  return std::ranges::find(sources_, nullptr) != sources_.end();
}

std::optional<std::size_t> TopologyPlan::limit_marker() const noexcept {
  if (!select_.limit || select_.limit->kind != Operand::Kind::marker) return std::nullopt;
  return select_.limit->marker;
}

std::vector<std::uint16_t> TopologyPlan::partition_key() const {
  for (const Condition& condition : conditions_) {
    const bool is_key = condition.column->column.name == partition_key_of(select_.table);
    if (is_key && condition.marker) return {static_cast<std::uint16_t>(*condition.marker)};
  }
  return {};
}

Columns TopologyPlan::columns(std::span<const Column> list) const noexcept {
  return {"system", name_of(select_.table), list};
}

const TopologyColumn* TopologyPlan::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find_if(
      table_, [&](const TopologyColumn& candidate) { return candidate.column.name == name; });
  return found != table_.end() ? &*found : nullptr;
}

std::string TopologyPlan::undefined(std::string_view name) const {
  return "Undefined column name " + std::string(name) + " in table system." +
         std::string(name_of(select_.table));
}

Refusal TopologyPlan::add_selectors() {
  if (select_.selectors.empty()) {
    for (const TopologyColumn& column : table_) add_result(column.column, &column);
  }
  for (const Selector& selector : select_.selectors) {
    Column result{"count", {.id = type_id::bigint}};
    const TopologyColumn* source = nullptr;
    if (!selector.is_count) {
      source = find(selector.column);
      if (source == nullptr) return undefined(selector.column);
      result = source->column;
    }
    if (!selector.alias.empty()) result.name = selector.alias;
    add_result(result, source);
  }
  return std::nullopt;
}

void TopologyPlan::add_result(const Column& result, const TopologyColumn* source) {
  results_.push_back(result);
  sources_.push_back(source);
}

Refusal TopologyPlan::add_condition(const Relation& relation) {
  Condition condition{.column = find(relation.column)};
  if (condition.column == nullptr) return undefined(relation.column);
  const Column& column = condition.column->column;
  if (column.type.id == type_id::set || column.type.id == type_id::map) {
    return "Collection column '" + std::string(column.name) + "' (" +
           std::string(name_of(column.type)) + ") cannot be restricted by a '=' relation";
  }
  if (relation.value.kind == Operand::Kind::marker) {
    condition.marker = relation.value.marker;
    set_marker(relation.value.marker, column);
  } else if (auto refusal = read_literal(relation.value, column, condition.value)) {
    return refusal;
  }
  conditions_.push_back(std::move(condition));
  return std::nullopt;
}

Refusal TopologyPlan::add_limit() {
  if (!select_.limit) return std::nullopt;
  if (const auto marker = limit_marker()) {
    set_marker(*marker, {"[limit]", {.id = type_id::int32}});
    return std::nullopt;
  }
  limit_ = parse_int(select_.limit->text);
  if (!limit_) return not_an_int(select_.limit->text);
  return check_limit(*limit_);
}

// As Cassandra: without a name of its own it has that of what it is compared with.
void TopologyPlan::set_marker(std::size_t marker, const Column& receiver) {
  markers_[marker] = receiver;
  if (!select_.markers[marker].empty()) markers_[marker].name = select_.markers[marker];
}

Refusal check_limit(std::int32_t limit) {
  if (limit > 0) return std::nullopt;
  return "LIMIT must be strictly positive";
}

std::string_view name_of(ColumnType type) noexcept {
  switch (type.id) {
    case type_id::int32:
      return "int";
    case type_id::uuid:
      return "uuid";
    case type_id::inet:
      return "inet";
    case type_id::set:
      return "set<text>";
    case type_id::map:
      return "map<uuid, blob>";
    default:
      return "text";
  }
}

}  // namespace gatehouse::cassandra
