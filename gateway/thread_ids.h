// The thread ids that routed clients are greeted with, before anybody knows which backend they will
// reach; and the backend's own, which is meant when such an id comes back in a KILL.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gateway/mariadb/own_greeting.h"

namespace gatehouse {

class ThreadIds {
 public:
  static constexpr std::uint32_t first = mariadb::own_thread_id_min;

  // Known as long as this lives; must not outlive its ThreadIds.
  class Entry {
   public:
    Entry(Entry&& other) noexcept;
    Entry& operator=(Entry&& other) noexcept;
    ~Entry();

   private:
    friend class ThreadIds;
    Entry(ThreadIds& ids, std::uint32_t id) : ids_(&ids), id_(id) {}
    ThreadIds* ids_;
    std::uint32_t id_;
  };

  // At `first` or above; comes again only after 2^31 others. Any thread.
  [[nodiscard]] std::uint32_t next() noexcept;
  // From now on `id` stands for this backend's thread. Any thread. Unset: it stands for another
  // one's still.
  [[nodiscard]] std::optional<Entry> enter(std::uint32_t id, std::string backend,
                                           std::uint32_t thread);
  // The thread that `id` stands for, if it is one of this backend's: ids of others mean nothing
  // there.
  [[nodiscard]] std::optional<std::uint32_t> find(std::uint32_t id, std::string_view backend) const;

 private:
  struct Thread {
    std::string backend;
    std::uint32_t thread = 0;
  };
  // Entered and left once a session, in one of many shards, so that workers seldom meet.
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::uint32_t, Thread> threads;
  };
  static constexpr std::size_t shard_count = 64;

  [[nodiscard]] const Shard& shard_of(std::uint32_t id) const noexcept {
    return shards_[id % shard_count];
  }
  [[nodiscard]] Shard& shard_of(std::uint32_t id) noexcept { return shards_[id % shard_count]; }

  std::atomic<std::uint32_t> next_{0};
  std::array<Shard, shard_count> shards_;
};

}  // namespace gatehouse
