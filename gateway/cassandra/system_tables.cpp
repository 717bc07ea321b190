#include "gateway/cassandra/system_tables.h"

#include <algorithm>
#include <array>

namespace gatehouse::cassandra {

namespace {

struct Allowed {
  std::string_view keyspace;
  std::string_view table;  // empty: all of the keyspace
};

constexpr std::array<Allowed, 11> allowed{{
    // Definitions of keyspaces, tables and what belongs to them: every driver reads these.
    {"system_schema", ""},
    {"system_virtual_schema", ""},
    // Roles and permissions, of which Cassandra itself shows everybody his part. Its tables that
    // tell networks apart are not among these.
    {"system_auth", "roles"},
    {"system_auth", "role_members"},
    {"system_auth", "role_permissions"},
    {"system_auth", "resource_role_permissons_index"},  // so Cassandra spells it
    // Which views are built, and by which host id.
    {"system", "built_views"},
    {"system_distributed", "view_build_status"},
    // Sizes of ranges of tokens, by which Spark and Hadoop divide their work.
    {"system", "size_estimates"},
    {"system", "table_estimates"},
    // Names of indexes.
    {"system", "IndexInfo"},
}};

}  // namespace

bool may_be_read(std::string_view keyspace, std::string_view table) noexcept {
  return std::ranges::any_of(allowed, [&](const Allowed& entry) {
    return entry.keyspace == keyspace && (entry.table.empty() || entry.table == table);
  });
}

}  // namespace gatehouse::cassandra
