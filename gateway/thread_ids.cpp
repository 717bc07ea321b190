#include "gateway/thread_ids.h"

#include <utility>

namespace gatehouse {

ThreadIds::Entry::Entry(Entry&& other) noexcept
    : ids_(std::exchange(other.ids_, nullptr)), id_(other.id_) {}

ThreadIds::Entry& ThreadIds::Entry::operator=(Entry&& other) noexcept {
  std::swap(ids_, other.ids_);
  std::swap(id_, other.id_);
  return *this;
}

ThreadIds::Entry::~Entry() {
  if (ids_ == nullptr) return;
  Shard& shard = ids_->shard_of(id_);
  const std::lock_guard lock(shard.mutex);
  shard.threads.erase(id_);
}

std::uint32_t ThreadIds::next() noexcept {
  return first | next_.fetch_add(1, std::memory_order_relaxed);
}

std::optional<ThreadIds::Entry> ThreadIds::enter(std::uint32_t id, std::string backend,
                                                 std::uint32_t thread) {
  Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  const bool entered = shard.threads.try_emplace(id, Thread{std::move(backend), thread}).second;
  if (!entered) return std::nullopt;
  return Entry(*this, id);
}

std::optional<std::uint32_t> ThreadIds::find(std::uint32_t id, std::string_view backend) const {
  const Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.threads.find(id);
  if (found == shard.threads.end() || found->second.backend != backend) return std::nullopt;
  return found->second.thread;
}

}  // namespace gatehouse
