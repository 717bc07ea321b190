#include "gateway/places.h"

#include <utility>

namespace gatehouse {

namespace {

// Counts up unless that would pass `max`; 0 means no cap.
bool take_one(std::atomic<std::uint32_t>& count, std::uint32_t max) noexcept {
  if (count.fetch_add(1, std::memory_order_relaxed) < max || max == 0) return true;
  count.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void give_back_one(std::atomic<std::uint32_t>& count) noexcept {
  count.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace

Place::Place(Places& places, SourceKey source, std::atomic<std::uint32_t>& server)
    : places_(&places), source_(std::move(source)), server_(&server) {}

Place::Place(Place&& other) noexcept
    : places_(std::exchange(other.places_, nullptr)),
      source_(std::move(other.source_)),
      server_(other.server_),
      handshake_(other.handshake_) {}

Place& Place::operator=(Place&& other) noexcept {
  std::swap(places_, other.places_);
  std::swap(source_, other.source_);
  std::swap(server_, other.server_);
  std::swap(handshake_, other.handshake_);
  return *this;
}

Place::~Place() {
  if (places_ == nullptr) return;
  established();
  places_->give_back_source(source_);
  give_back_one(*server_);
  give_back_one(places_->sessions_);
}

void Place::established() noexcept {
  if (std::exchange(handshake_, false)) give_back_one(places_->handshakes_);
}

std::optional<Place> Places::take(const config::Limits& limits, SourceKey source,
                                  std::atomic<std::uint32_t>& server_sessions,
                                  std::uint32_t server_max) {
  // The source first: only that can run out of memory, and then nothing has been counted.
  if (!take_source(source, limits.sessions_per_source)) return std::nullopt;
  if (take_one(sessions_, limits.sessions)) {
    if (take_one(handshakes_, limits.handshakes)) {
      if (take_one(server_sessions, server_max))
        return Place(*this, std::move(source), server_sessions);
      give_back_one(handshakes_);
    }
    give_back_one(sessions_);
  }
  give_back_source(source);
  return std::nullopt;
}

Places::Shard& Places::shard_of(const SourceKey& source) noexcept {
  return shards_[shard_of_hash(SourceKeyHash{}(source), shard_count)];
}

bool Places::take_source(const SourceKey& source, std::uint32_t max) {
  Shard& shard = shard_of(source);
  const std::lock_guard lock(shard.mutex);
  std::uint32_t& count = shard.sessions[source];
  if (count >= max) return false;
  ++count;
  return true;
}

void Places::give_back_source(const SourceKey& source) noexcept {
  Shard& shard = shard_of(source);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.sessions.find(source);
  if (found != shard.sessions.end() && --found->second == 0) shard.sessions.erase(found);
}

}  // namespace gatehouse
