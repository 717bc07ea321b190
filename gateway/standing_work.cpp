#include "gateway/standing_work.h"

#include <new>
#include <utility>

#include <boost/asio/co_spawn.hpp>

namespace gatehouse {

void StandingWork::keep(std::string name, Make make) {
  all_.push_back(std::make_shared<Work>(Work{.name = std::move(name), .make = std::move(make)}));
  try {
    begin(all_.back());
  } catch (const std::bad_alloc&) {
    return;  // begin_again() will
  }
}

void StandingWork::begin_again() {
  std::erase_if(all_, [](const std::shared_ptr<Work>& work) { return work->is_done; });
  for (const std::shared_ptr<Work>& work : all_) {
    if (!work->under_way.expired()) continue;
    log_.error("{} ended for want of memory, and begins again", work->name);
    begin(work);
  }
}

Awaitable<void> StandingWork::run(std::shared_ptr<Work> work, std::shared_ptr<void> /*under_way*/) {
  co_await work->make();
  work->is_done = true;
}

void StandingWork::begin(const std::shared_ptr<Work>& work) {
  const auto under_way = std::make_shared<char>();
  work->under_way = under_way;
  // What it throws ends it, which begin_again() sees.
  asio::co_spawn(context_, run(work, under_way), [](const std::exception_ptr&) {});
}

}  // namespace gatehouse
