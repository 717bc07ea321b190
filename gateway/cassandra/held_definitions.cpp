#include "gateway/cassandra/held_definitions.h"

#include <utility>

namespace gatehouse::cassandra {

namespace {

// Nodes pass changes on at once. Drivers whose requests have no more than two seconds must not give
// up on one that was made.
constexpr unsigned asked_max = 2;
// What nodes say is short, with warnings, too; and who changes definitions waits for each answer.
constexpr std::size_t held_max = 64;
constexpr std::size_t frame_size_max = std::size_t{64} * 1024;

}  // namespace

bool HeldDefinitions::holds(Bytes frame) {
  if (held_.size() >= held_max || frame.size() > frame_size_max) return false;
  if (!cluster_.schema_is_in_doubt()) return false;
  held_.push_back({.frame = {frame.begin(), frame.end()}});
  return true;
}

std::vector<HeldDefinitions::Buffer> HeldDefinitions::due() {
  if (held_.empty()) return {};
  const bool is_in_doubt = cluster_.schema_is_in_doubt();
  std::vector<Buffer> frames;
  std::erase_if(held_, [&](Held& held) {
    if (is_in_doubt && ++held.asked < asked_max) return false;
    frames.push_back(std::move(held.frame));
    return true;
  });
  if (held_.empty()) held_ = std::vector<Held>();
  return frames;
}

std::vector<HeldDefinitions::Buffer> HeldDefinitions::rest() {
  std::vector<Buffer> frames;
  for (Held& held : std::exchange(held_, {})) frames.push_back(std::move(held.frame));
  return frames;
}

}  // namespace gatehouse::cassandra
