// A SELECT from a table that says where nodes are, checked against that table: which columns it
// gives, which its markers take, and what it compares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/cassandra/rows.h"
#include "gateway/cassandra/topology_columns.h"
#include "gateway/cassandra/topology_select.h"

namespace gatehouse::cassandra {

// Why a request is refused, in the words that Cassandra has for it; no value: it is not. All of
// these are of code `invalid`.
using Refusal = std::optional<std::string>;

// Points into the SELECT, which must outlive it.
class TopologyPlan {
 public:
  struct Condition {
    const TopologyColumn* column = nullptr;
    std::optional<std::size_t> marker{};
    std::vector<std::uint8_t> value{};  // unless there is a marker
  };

  explicit TopologyPlan(const TopologySelect& select) noexcept : select_(select) {}

  // REQUIRES: called once. Where it refuses, nothing below means anything.
  [[nodiscard]] Refusal make(bool has_ports);

  [[nodiscard]] Columns results() const noexcept { return columns(results_); }
  [[nodiscard]] Columns markers() const noexcept { return columns(markers_); }
  // What the cells of each result are; null: the count.
  [[nodiscard]] std::span<const TopologyColumn* const> sources() const noexcept { return sources_; }
  [[nodiscard]] bool has_count() const noexcept;
  [[nodiscard]] const std::vector<Condition>& conditions() const noexcept { return conditions_; }
  // Not that of a marker.
  [[nodiscard]] std::optional<std::int32_t> limit() const noexcept { return limit_; }
  [[nodiscard]] std::optional<std::size_t> limit_marker() const noexcept;
  // The marker that is compared with the partition key, if one is.
  [[nodiscard]] std::vector<std::uint16_t> partition_key() const;

 private:
  [[nodiscard]] Columns columns(std::span<const Column> list) const noexcept;
  [[nodiscard]] const TopologyColumn* find(std::string_view name) const noexcept;
  [[nodiscard]] std::string undefined(std::string_view name) const;
  Refusal add_selectors();
  void add_result(const Column& result, const TopologyColumn* source);
  Refusal add_condition(const Relation& relation);
  Refusal add_limit();
  void set_marker(std::size_t marker, const Column& receiver);

  const TopologySelect& select_;
  std::span<const TopologyColumn> table_;
  std::vector<Column> results_;
  std::vector<const TopologyColumn*> sources_;
  std::vector<Column> markers_;
  std::vector<Condition> conditions_;
  std::optional<std::int32_t> limit_;
};

// Whether the limit is one; Cassandra's words if not.
[[nodiscard]] Refusal check_limit(std::int32_t limit);
// As CQL names it.
[[nodiscard]] std::string_view name_of(ColumnType type) noexcept;

}  // namespace gatehouse::cassandra
