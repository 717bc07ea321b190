#include "gateway/mariadb/command_watch.h"

#include <utility>

namespace gatehouse::mariadb {

CommandWatch::CommandWatch(const ThreadIds& ids, std::string backend)
    : filter_([&ids, backend = std::move(backend)](std::uint32_t id) {
        return ids.find(id, backend);
      }) {}

RelayFilter::Result CommandWatch::from_client(std::span<const std::uint8_t> chunk) {
  auto step = filter_.feed(chunk, rewritten_);
  if (step.found == CommandFilter::Found::nothing) return {.to_backend = step.forward};
  // Nobody can answer before being asked: what comes right behind it is no part of a login.
  const bool alone = step.consumed == chunk.size();
  if (step.found == CommandFilter::Found::change_user && alone) {
    change_user_ = std::move(step.change_user);
  }
  return {.to_backend = step.forward, .next = Next::stop};
}

std::optional<std::vector<std::uint8_t>> CommandWatch::take_change_user() {
  return std::exchange(change_user_, std::nullopt);
}

}  // namespace gatehouse::mariadb
