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

std::string_view to_string(Cap cap) noexcept {
  switch (cap) {
    case Cap::sessions:
      return "sessions";
    case Cap::sessions_per_source:
      return "sessions_per_source";
    case Cap::handshakes:
      return "handshakes";
    case Cap::max_sessions:
      return "max_sessions";
  }
  return {};
}

Place::Place(Places& places, SourceKey source, std::atomic<std::uint32_t>& handshakes)
    : places_(&places), source_(std::move(source)), handshakes_(&handshakes) {}

Place::Place(Place&& other) noexcept
    : places_(std::exchange(other.places_, nullptr)),
      source_(std::move(other.source_)),
      handshakes_(other.handshakes_),
      server_(other.server_) {}

Place& Place::operator=(Place&& other) noexcept {
  std::swap(places_, other.places_);
  std::swap(source_, other.source_);
  std::swap(handshakes_, other.handshakes_);
  std::swap(server_, other.server_);
  return *this;
}

Place::~Place() {
  if (places_ == nullptr) return;
  established();
  places_->give_back_source(source_);
  if (server_ != nullptr) give_back_one(*server_);
  give_back_one(places_->sessions_);
}

bool Place::take_server(std::atomic<std::uint32_t>& sessions, std::uint32_t max) noexcept {
  if (!take_one(sessions, max)) return false;
  server_ = &sessions;
  return true;
}

void Place::established() noexcept {
  if (handshakes_ != nullptr) give_back_one(*std::exchange(handshakes_, nullptr));
}

std::optional<Waiting> Waiting::take(std::atomic<std::uint32_t>& handshakes,
                                     std::uint32_t max) noexcept {
  if (!take_one(handshakes, max)) return std::nullopt;
  return Waiting(handshakes);
}

Waiting::Waiting(Waiting&& other) noexcept
    : handshakes_(std::exchange(other.handshakes_, nullptr)) {}

Waiting& Waiting::operator=(Waiting&& other) noexcept {
  std::swap(handshakes_, other.handshakes_);
  return *this;
}

Waiting::~Waiting() {
  if (handshakes_ != nullptr) give_back_one(*handshakes_);
}

std::variant<Place, Cap> Places::take(const config::Limits& limits, SourceKey source,
                                      std::atomic<std::uint32_t>& handshakes) {
  // The source first: only that can run out of memory, and then nothing has been counted.
  if (!take_source(source, limits.sessions_per_source)) return Cap::sessions_per_source;
  Cap reached = Cap::sessions;
  if (take_one(sessions_, limits.sessions)) {
    if (take_one(handshakes, limits.handshakes)) {
      return Place(*this, std::move(source), handshakes);
    }
    reached = Cap::handshakes;
    give_back_one(sessions_);
  }
  give_back_source(source);
  return reached;
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
