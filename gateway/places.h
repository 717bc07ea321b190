// The caps of gateway.yaml: how many sessions there may be, in all, of one source, of one server,
// and not yet established. Shared by all workers.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "config/configuration.h"
#include "gateway/source_key.h"

namespace gatehouse {

// The caps, by the names they have in gateway.yaml.
enum class Cap { sessions, sessions_per_source, handshakes, max_sessions };
[[nodiscard]] std::string_view to_string(Cap cap) noexcept;

class Places;

// A session's place under every cap, given back when it goes. Must not outlive its Places.
class Place {
 public:
  Place(Place&& other) noexcept;
  Place& operator=(Place&& other) noexcept;
  ~Place();

  // Counts it among a server's sessions too, once the server is known. False: there is no room
  // (`max` 0 means no cap). `sessions` is the server's own count, which must outlive the place.
  // REQUIRES: called once.
  [[nodiscard]] bool take_server(std::atomic<std::uint32_t>& sessions, std::uint32_t max) noexcept;
  // From now on it does not count as a handshake.
  void established() noexcept;

 private:
  friend class Places;
  Place(Places& places, SourceKey source, std::atomic<std::uint32_t>& handshakes);

  Places* places_;
  SourceKey source_;
  std::atomic<std::uint32_t>* handshakes_;        // null once it is established
  std::atomic<std::uint32_t>* server_ = nullptr;  // null until it is known
};

// A connection of which it is not yet known whose it is, counted among its listener's handshakes.
class Waiting {
 public:
  // Unset: `max` are under way. `handshakes` must outlive it.
  [[nodiscard]] static std::optional<Waiting> take(std::atomic<std::uint32_t>& handshakes,
                                                   std::uint32_t max) noexcept;
  Waiting(Waiting&& other) noexcept;
  Waiting& operator=(Waiting&& other) noexcept;
  ~Waiting();

 private:
  explicit Waiting(std::atomic<std::uint32_t>& handshakes) noexcept : handshakes_(&handshakes) {}
  std::atomic<std::uint32_t>* handshakes_;
};

class Places {
 public:
  // A place, or the cap that is reached. `handshakes` is the listener's own count, which must
  // outlive the place: a flood on one listener leaves the others their room.
  [[nodiscard]] std::variant<Place, Cap> take(const config::Limits& limits, SourceKey source,
                                              std::atomic<std::uint32_t>& handshakes);

 private:
  friend class Place;
  // A lock that is held for one map operation, in one of many shards: workers meet in it only when
  // two sources share a shard at the same moment (decisions/0006).
  struct Shard {
    std::mutex mutex;
    std::unordered_map<SourceKey, std::uint32_t, SourceKeyHash> sessions;
  };
  static constexpr std::size_t shard_count = 64;

  Shard& shard_of(const SourceKey& source) noexcept;
  bool take_source(const SourceKey& source, std::uint32_t max);
  void give_back_source(const SourceKey& source) noexcept;

  std::atomic<std::uint32_t> sessions_{0};
  std::array<Shard, shard_count> shards_;
};

}  // namespace gatehouse
