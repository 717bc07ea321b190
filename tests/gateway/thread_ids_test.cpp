#include "gateway/thread_ids.h"

#include <set>
#include <utility>

#include <catch2/catch.hpp>

namespace gatehouse {
namespace {

TEST_CASE("ids are the gateway's own and differ", "[thread_ids]") {
  ThreadIds ids;
  std::set<std::uint32_t> seen;
  for (int count = 0; count < 1000; ++count) {
    const std::uint32_t id = ids.next();
    CHECK(id >= ThreadIds::first);
    CHECK(seen.insert(id).second);
  }
}

TEST_CASE("an id stands for one thread of one backend", "[thread_ids]") {
  ThreadIds ids;
  const std::uint32_t id = ids.next();
  const auto entry = ids.enter(id, "10.1.0.4:3306", 17);
  REQUIRE(entry);
  CHECK(ids.find(id, "10.1.0.4:3306") == 17U);
  CHECK_FALSE(ids.find(id, "10.1.0.5:3306"));
  CHECK_FALSE(ids.find(ids.next(), "10.1.0.4:3306"));
}

TEST_CASE("an id means nothing once its session is gone", "[thread_ids]") {
  ThreadIds ids;
  const std::uint32_t id = ids.next();
  auto entry = ids.enter(id, "db", 17);
  REQUIRE(entry);
  {
    const ThreadIds::Entry moved = std::move(*entry);
    entry.reset();
    CHECK(ids.find(id, "db") == 17U);
  }
  CHECK_FALSE(ids.find(id, "db"));
}

TEST_CASE("an id that is in use is not given another thread", "[thread_ids]") {
  ThreadIds ids;
  const std::uint32_t id = ids.next();
  const auto entry = ids.enter(id, "db", 17);
  CHECK_FALSE(ids.enter(id, "db", 18));
  CHECK(ids.find(id, "db") == 17U);
}

}  // namespace
}  // namespace gatehouse
