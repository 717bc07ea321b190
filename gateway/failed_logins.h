// How often backends refuse a source's logins: when that becomes an alert, and which sources are
// blocked for it. Shared by all workers.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/configuration.h"
#include "gateway/limits.h"
#include "gateway/source_key.h"
#include "rules/ip_address.h"

namespace gatehouse {

// Any thread may call anything. What one source does on one server says nothing of other sources,
// nor of other servers.
class FailedLogins {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // Refusals are counted from the first one on for so long; the next begins anew.
  static constexpr std::chrono::minutes window{1};

  // Counts a login that a backend refused. Set where it makes an alert, which happens once a
  // window: how many it were. If the settings say so, the source is blocked from then on; when that
  // is over it starts from nothing. Refusals while it is blocked are of sessions that were under
  // way, and are not counted.
  [[nodiscard]] std::optional<std::uint32_t> failed(const config::FailedLogins& settings,
                                                    const SourceKey& source,
                                                    std::string_view server, Time now);

  // One atomic load while nobody is blocked.
  [[nodiscard]] bool is_blocked(const SourceKey& source, std::string_view server, Time now);

  // A block stays in force until its end, whatever the settings say by then.
  struct Block {
    std::string server;
    SourceKey source;
    Time until;
  };
  // Sorted by server, network and address.
  [[nodiscard]] std::vector<Block> blocks(Time now) const;

  // Ends the blocks of these addresses, in whatever network, on one server or (unset) on all. How
  // many there were.
  std::size_t lift(const rules::IpRange& range, std::optional<std::string_view> server, Time now);

 private:
  struct Key {
    SourceKey source;
    std::string server;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept {
      return SourceKeyHash{}(key.source) * 31 + std::hash<std::string>{}(key.server);
    }
  };
  struct Record {
    Time since;  // of the first refusal that is counted; during a block: its end
    std::uint32_t count = 0;
    bool is_told = false;  // an alert has been made of this window
    Time blocked_until = Time::min();
  };
  // Held for one operation on a map of bounded size, once a refused login; and once a connection
  // while somebody is blocked (decisions/0006).
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<Key, Record, Hash> records;
  };
  static constexpr std::size_t shard_count = 64;
  static constexpr std::size_t records_per_shard = limits::failed_login_sources / shard_count;

  Shard& shard_of(const Key& key) noexcept;
  // Null: there is no room, for all records are blocks. REQUIRES: shard.mutex held.
  static Record* find_or_add(Shard& shard, Key key, Time now);
  static bool make_room(Shard& shard, Time now);
  void block(Record& record, Time until) noexcept;

  std::array<Shard, shard_count> shards_;
  std::atomic<Time> last_end_{Time::min()};  // of all blocks there have been
};

}  // namespace gatehouse
