#include "gateway/cassandra/topology_answer.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/cassandra/frame.h"
#include "gateway/cassandra/invented.h"
#include "gateway/cassandra/result.h"
#include "gateway/cassandra/topology_columns.h"
#include "gateway/cassandra/topology_plan.h"

namespace gatehouse::cassandra {

namespace {

using Cell = std::vector<std::uint8_t>;

FrameWriter begin_result(std::vector<std::uint8_t>& out, Answering request) {
  return {out,
          {.sender = Sender::node,
           .version = request.version,
           .stream = request.stream,
           .opcode = opcode::result}};
}

// The values of markers, in the order of the markers. False: one is missing, or there are too many.
bool put_in_order(const BoundValues& bound, const Columns& markers, std::vector<Value>& values) {
  const std::vector<BoundValue> given = take_apart(bound);
  if (!bound.have_names && given.size() != markers.columns.size()) return false;
  for (std::size_t i = 0; i < markers.columns.size(); ++i) {
    const auto value = bound.have_names
                           ? std::ranges::find(given, markers.columns[i].name, &BoundValue::name)
                           : given.begin() + static_cast<std::ptrdiff_t>(i);
    if (value == given.end()) return false;
    values.push_back(value->value);
  }
  return true;
}

bool fits(const Value& value, const Column& column) noexcept {
  switch (column.type.id) {
    case type_id::int32:
      return int_in(value).has_value();
    case type_id::uuid:
      return uuid_in(value).has_value();
    case type_id::inet:
      return inet_in(value).has_value();
    default:
      return true;
  }
}

Refusal check_value(const Value& value, const Column& column) {
  const std::string name(column.name);
  if (value.state == Value::State::null)
    return "Invalid null value in condition for column " + name;
  if (value.state == Value::State::unset) return "Invalid unset value for column " + name;
  if (fits(value, column)) return std::nullopt;
  return "Invalid value of " + std::to_string(value.bytes.size()) + " bytes for column " + name +
         " of type " + std::string(name_of(column.type));
}

// A plan with the values of its markers: what is asked of each node.
class Filter {
 public:
  // REQUIRES: called once. Points into the plan and the values.
  Refusal bind(const TopologyPlan& plan, const BoundValues& bound) {
    std::vector<Value> values;
    if (!put_in_order(bound, plan.markers(), values)) return "Invalid amount of bind variables";
    for (const auto& condition : plan.conditions()) {
      Bytes wanted = condition.value;
      if (condition.marker) {
        const Value& value = values[*condition.marker];
        if (auto refusal = check_value(value, condition.column->column)) return refusal;
        wanted = value.bytes;
      }
      comparisons_.push_back({condition.column, wanted});
    }
    if (const auto limit = plan.limit()) limit_ = static_cast<std::size_t>(*limit);
    if (const auto marker = plan.limit_marker()) return bind_limit(values[*marker]);
    return std::nullopt;
  }

  [[nodiscard]] std::vector<const ShownNode*> choose(std::span<const ShownNode> nodes,
                                                     const Ring& ring) const {
    std::vector<const ShownNode*> chosen;
    for (const ShownNode& node : nodes) {
      if (matches(ring, node)) chosen.push_back(&node);
    }
    return chosen;
  }
  // How many rows there may be.
  [[nodiscard]] std::size_t limit() const noexcept { return limit_; }

 private:
  struct Comparison {
    const TopologyColumn* column;
    Bytes wanted;
  };

  Refusal bind_limit(const Value& value) {
    if (value.state == Value::State::unset) return std::nullopt;
    const auto limit = int_in(value);
    if (!limit) return "Invalid limit value";
    if (auto refusal = check_limit(*limit)) return refusal;
    limit_ = static_cast<std::size_t>(*limit);
    return std::nullopt;
  }

  [[nodiscard]] bool matches(const Ring& ring, const ShownNode& node) const {
    return std::ranges::all_of(comparisons_, [&](const Comparison& comparison) {
      Cell cell;
      return comparison.column->append(cell, ring, node) &&
             std::ranges::equal(cell, comparison.wanted);
    });
  }

  std::vector<Comparison> comparisons_;
  std::size_t limit_ = std::numeric_limits<std::size_t>::max();
};

std::span<const ShownNode> nodes_in(TopologyTable table, const TopologyView& view) noexcept {
  if (table == TopologyTable::local) return {&view.local, 1};
  if (table == TopologyTable::peers && !view.lists_old_peers) return {};
  return view.peers;
}

// The rows of one answer, as far as they fit.
class Answer {
 public:
  Answer(std::vector<std::uint8_t>& out, const TopologyPlan& plan, bool skip_metadata)
      : out_(out), plan_(plan), begin_(out.size()), rows_(out, plan.results(), skip_metadata) {}

  // Where there is no node its columns are null. False: the answer would be too long.
  bool append_row(const Ring& ring, const ShownNode* node, std::size_t count) {
    for (const TopologyColumn* const source : plan_.sources()) {
      Cell cell;
      bool is_set = true;
      if (source == nullptr) {
        append_u64(cell, count);
      } else {
        is_set = node != nullptr && source->append(cell, ring, *node);
      }
      if (out_.size() - begin_ + cell.size() > topology_answer_max) return false;
      if (is_set) {
        rows_.append(cell);
      } else {
        rows_.append_null();
      }
    }
    ++row_count_;
    return true;
  }
  void end() noexcept { rows_.end(row_count_); }

 private:
  std::vector<std::uint8_t>& out_;
  const TopologyPlan& plan_;
  std::size_t begin_;
  RowsWriter rows_;
  std::uint32_t row_count_ = 0;
};

// As a body; what was appended before a refusal is not to be sent.
Refusal append_answer(std::vector<std::uint8_t>& out, const TopologySelect& select,
                      const QueryParameters& parameters, const TopologyView& view) {
  TopologyPlan plan(select);
  if (auto refusal = plan.make(view.ring->has_ports)) return refusal;
  Filter filter;
  if (auto refusal = filter.bind(plan, parameters.values)) return refusal;
  const Ring& ring = *view.ring;
  std::vector<const ShownNode*> nodes = filter.choose(nodes_in(select.table, view), ring);
  const std::size_t count = nodes.size();
  // As Cassandra: in the one row of a count, columns are those of the first that was counted.
  if (plan.has_count()) nodes.resize(1);
  nodes.resize(std::min(nodes.size(), filter.limit()));

  Answer answer(out, plan, parameters.skip_metadata);
  for (const ShownNode* const node : nodes) {
    if (!answer.append_row(ring, node, count)) return "The answer would be too long";
  }
  answer.end();
  return std::nullopt;
}

}  // namespace

void append_topology_rows(std::vector<std::uint8_t>& out, Answering request,
                          const TopologySelect& select, const QueryParameters& parameters,
                          const TopologyView& view) {
  const std::size_t begin = out.size();
  FrameWriter frame = begin_result(out, request);
  if (const auto refusal = append_answer(out, select, parameters, view)) {
    out.resize(begin);
    append_error(out, request, error_code::invalid, *refusal);
  } else {
    frame.end();
  }
}

void append_topology_prepared(std::vector<std::uint8_t>& out, Answering request, Bytes id,
                              const TopologySelect& select, bool has_ports) {
  TopologyPlan plan(select);
  if (const auto refusal = plan.make(has_ports)) {
    append_error(out, request, error_code::invalid, *refusal);
    return;
  }
  std::vector<std::uint8_t> specs;
  append_column_specs(specs, plan.results());
  const auto metadata_id = result_metadata_id(specs);
  const auto partition_key = plan.partition_key();
  FrameWriter frame = begin_result(out, request);
  append_prepared(out, request.version,
                  {.id = id,
                   .result_metadata_id = metadata_id,
                   .markers = plan.markers(),
                   .partition_key = partition_key,
                   .results = plan.results()});
  frame.end();
}

}  // namespace gatehouse::cassandra
