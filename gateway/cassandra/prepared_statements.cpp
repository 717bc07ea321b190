#include "gateway/cassandra/prepared_statements.h"

#include <functional>
#include <utility>

namespace gatehouse::cassandra {

namespace {

// Texts of a few letters are held in place, and counted once too often.
std::size_t size_of(const TopologySelect& select) noexcept {
  std::size_t size = 0;
  for (const Selector& selector : select.selectors) {
    size += sizeof selector + selector.column.size() + selector.alias.size();
  }
  for (const Relation& relation : select.where) {
    size += sizeof relation + relation.column.size() + relation.value.text.size();
  }
  for (const std::string& marker : select.markers) size += sizeof(std::string) + marker.size();
  return size + (select.limit ? select.limit->text.size() : 0);
}

// Beside the variant itself.
std::size_t size_of(const StatementMeaning& meaning) noexcept {
  if (const auto* const use = std::get_if<UseStatement>(&meaning)) return use->keyspace.size();
  if (const auto* const topology = std::get_if<TopologyStatement>(&meaning)) {
    return size_of(topology->select);
  }
  return 0;
}

}  // namespace

PreparedStatements::PreparedStatements(const PreparedLimits& limits) noexcept
    : limits_{.entries = limits.entries / shard_count, .bytes = limits.bytes / shard_count} {}

bool PreparedStatements::remember(Bytes id, StatementMeaning meaning) {
  const std::string_view key = as_text(id);
  if (key.size() > id_size_max || cassandra::size_of(meaning) > meaning_size_max) return false;
  // What takes memory comes before the lock, and nothing is counted that there is not.
  std::list<Entry> added;
  added.push_back({.id = std::string(key), .meaning = std::move(meaning)});
  const auto entry = added.begin();

  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto [known, is_new] = shard.by_id.try_emplace(entry->id, entry);
  if (is_new) {
    shard.fresh.bytes += size_of(*entry);
    shard.fresh.entries.splice(shard.fresh.entries.begin(), added);
  } else if (known->second->meaning.index() < entry->meaning.index()) {
    Queue& queue = known->second->is_used ? shard.used : shard.fresh;
    queue.bytes -= size_of(*known->second);
    std::swap(known->second->meaning, entry->meaning);
    queue.bytes += size_of(*known->second);
  }
  make_room(shard);
  return true;
}

std::optional<StatementMeaning> PreparedStatements::find(Bytes id) {
  const std::string_view key = as_text(id);
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto known = shard.by_id.find(key);
  if (known == shard.by_id.end()) return std::nullopt;
  const auto entry = known->second;
  move_to_front(shard.used, entry->is_used ? shard.used : shard.fresh, entry);
  entry->is_used = true;
  while (is_above(shard.used.entries.size(), shard.used.bytes, 3)) {
    const auto last = std::prev(shard.used.entries.end());
    move_to_front(shard.fresh, shard.used, last);
    last->is_used = false;
  }
  return entry->meaning;
}

PreparedStatements::Shard& PreparedStatements::shard_of(std::string_view id) noexcept {
  return shards_[std::hash<std::string_view>{}(id) % shard_count];
}

void PreparedStatements::move_to_front(Queue& to, Queue& from,
                                       std::list<Entry>::iterator entry) noexcept {
  const std::size_t size = size_of(*entry);
  to.entries.splice(to.entries.begin(), from.entries, entry);
  from.bytes -= size;
  to.bytes += size;
}

bool PreparedStatements::is_above(std::size_t entries, std::size_t bytes,
                                  unsigned quarters) const noexcept {
  return entries > limits_.entries / 4 * quarters || bytes > limits_.bytes / 4 * quarters;
}

void PreparedStatements::make_room(Shard& shard) const noexcept {
  while (is_above(shard.fresh.entries.size() + shard.used.entries.size(),
                  shard.fresh.bytes + shard.used.bytes, 4)) {
    Queue& queue = shard.fresh.entries.empty() ? shard.used : shard.fresh;
    const Entry& last = queue.entries.back();
    queue.bytes -= size_of(last);
    shard.by_id.erase(last.id);
    queue.entries.pop_back();
  }
}

std::size_t PreparedStatements::size_of(const Entry& entry) noexcept {
  constexpr std::size_t of_tree_and_list = 64 + 16;
  return of_tree_and_list + sizeof entry + entry.id.size() + cassandra::size_of(entry.meaning);
}

}  // namespace gatehouse::cassandra
