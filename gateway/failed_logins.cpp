#include "gateway/failed_logins.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace gatehouse {

std::optional<std::uint32_t> FailedLogins::failed(const config::FailedLogins& settings,
                                                  const SourceKey& source, std::string_view server,
                                                  Time now) {
  Key key{source, std::string(server)};
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  Record* record = find_or_add(shard, std::move(key), now);
  if (record == nullptr || now < record->blocked_until) return std::nullopt;
  if (record->count == 0 || now - record->since >= window) *record = {.since = now};
  ++record->count;
  if (record->is_told || record->count <= settings.per_minute) return std::nullopt;
  record->is_told = true;
  const std::uint32_t count = record->count;
  if (settings.block) block(*record, now + *settings.block);
  return count;
}

bool FailedLogins::is_blocked(const SourceKey& source, std::string_view server, Time now) {
  if (now >= last_end_.load(std::memory_order_relaxed)) return false;
  const Key key{source, std::string(server)};
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.records.find(key);
  return found != shard.records.end() && now < found->second.blocked_until;
}

std::vector<FailedLogins::Block> FailedLogins::blocks(Time now) const {
  std::vector<Block> blocks;
  if (now >= last_end_.load(std::memory_order_relaxed)) return blocks;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (const auto& [key, record] : shard.records) {
      if (now < record.blocked_until)
        blocks.push_back({key.server, key.source, record.blocked_until});
    }
  }
  std::sort(blocks.begin(), blocks.end(), [](const Block& a, const Block& b) {
    return std::tie(a.server, a.source.network, a.source.address) <
           std::tie(b.server, b.source.network, b.source.address);
  });
  return blocks;
}

std::size_t FailedLogins::lift(const rules::IpRange& range, std::optional<std::string_view> server,
                               Time now) {
  std::size_t lifted = 0;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    lifted += std::erase_if(shard.records, [&](const auto& entry) {
      const auto& [key, record] = entry;
      return now < record.blocked_until && range.contains(key.source.address) &&
             (!server || key.server == *server);
    });
  }
  return lifted;
}

FailedLogins::Shard& FailedLogins::shard_of(const Key& key) noexcept {
  return shards_[shard_of_hash(Hash{}(key), shard_count)];
}

FailedLogins::Record* FailedLogins::find_or_add(Shard& shard, Key key, Time now) {
  const auto found = shard.records.find(key);
  if (found != shard.records.end()) return &found->second;
  if (shard.records.size() >= records_per_shard && !make_room(shard, now)) return nullptr;
  return &shard.records[std::move(key)];
}

// A flood from many addresses may end no block before its time, and pushes out its own many small
// counts before a large one.
bool FailedLogins::make_room(Shard& shard, Time now) {
  const auto is_over = [now](const auto& entry) { return now - entry.second.since >= window; };
  if (std::erase_if(shard.records, is_over) > 0) return true;
  const auto rank = [now](const auto& entry) {
    const Record& record = entry.second;
    return std::tuple(now < record.blocked_until, record.count, record.since);
  };
  const auto least = std::min_element(
      shard.records.begin(), shard.records.end(),
      [&rank](const auto& one, const auto& other) { return rank(one) < rank(other); });
  if (now < least->second.blocked_until) return false;
  shard.records.erase(least);
  return true;
}

void FailedLogins::block(Record& record, Time until) noexcept {
  record = {.since = until, .blocked_until = until};
  Time last = last_end_.load(std::memory_order_relaxed);
  while (last < until && !last_end_.compare_exchange_weak(last, until, std::memory_order_relaxed)) {
  }
}

}  // namespace gatehouse
