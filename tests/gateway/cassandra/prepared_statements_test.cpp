#include "gateway/cassandra/prepared_statements.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace gatehouse::cassandra {

namespace {

constexpr std::size_t shards = PreparedStatements::shard_count;

struct Fixture {
  PreparedStatements statements{{.entries = shards * 100, .bytes = shards * 64 * 1024}};

  bool remember(std::string_view id, StatementMeaning meaning = OrdinaryStatement{}) {
    return statements.remember(bytes_of(id), std::move(meaning));
  }
  // Statements that nobody executes.
  void flood(int count) {
    for (int i = 0; i < count; ++i) REQUIRE(remember("flood " + std::to_string(i)));
  }
  std::optional<StatementMeaning> find(std::string_view id) {
    return statements.find(bytes_of(id));
  }
  bool knows(std::string_view id) { return find(id).has_value(); }
};

TopologyStatement topology(std::string alias = "") {
  return {.select = {.table = TopologyTable::peers,
                     .selectors = {{.column = "rack", .alias = std::move(alias)}}},
          .has_ports = false};
}

}  // namespace

TEST_CASE_METHOD(Fixture, "an id means what was remembered of it") {
  CHECK(remember("a"));
  CHECK(remember("b", UseStatement{"shop"}));
  CHECK(remember("c", topology()));
  CHECK(find("a") == StatementMeaning(OrdinaryStatement{}));
  CHECK(find("b") == StatementMeaning(UseStatement{"shop"}));
  CHECK(find("c") == StatementMeaning(topology()));
  CHECK_FALSE(knows("d"));
  CHECK_FALSE(knows(""));
}

TEST_CASE_METHOD(Fixture, "an id that is given twice keeps the meaning that lets through less") {
  CHECK(remember("a", UseStatement{"shop"}));
  CHECK(remember("a"));
  CHECK(find("a") == StatementMeaning(UseStatement{"shop"}));
  CHECK(remember("a", topology()));
  CHECK(find("a") == StatementMeaning(topology()));
  CHECK(remember("a", UseStatement{"shop"}));
  CHECK(find("a") == StatementMeaning(topology()));
}

TEST_CASE_METHOD(Fixture, "ids and meanings that are longer than any are not remembered") {
  const std::string id(PreparedStatements::id_size_max, 'i');
  CHECK(remember(id));
  CHECK(knows(id));
  CHECK_FALSE(remember(id + "i"));
  CHECK_FALSE(knows(id + "i"));

  const std::string text(PreparedStatements::meaning_size_max, 't');
  CHECK(remember("a", UseStatement{text}));
  CHECK_FALSE(remember("b", UseStatement{text + "t"}));
  CHECK_FALSE(remember("c", topology(text)));
  CHECK_FALSE(knows("b"));
  CHECK_FALSE(knows("c"));
}

TEST_CASE_METHOD(Fixture, "the statements that came first are forgotten when there are too many") {
  CHECK(remember("first"));
  flood(10);
  CHECK(knows("first"));
  CHECK(remember("second"));
  flood(100'000);
  CHECK_FALSE(knows("second"));
  int known = 0;
  for (int i = 0; i < 100'000; ++i) known += knows("flood " + std::to_string(i)) ? 1 : 0;
  CHECK(known <= static_cast<int>(shards * 100));
  CHECK(known > static_cast<int>(shards * 90));
}

TEST_CASE_METHOD(Fixture, "nobody pushes out what is used by preparing") {
  std::vector<std::string> used;
  for (int i = 0; i < 500; ++i) used.push_back("used " + std::to_string(i));
  for (const std::string& id : used) CHECK(remember(id));
  for (int times = 0; times < 10; ++times) {
    for (const std::string& id : used) CHECK(knows(id));
  }
  flood(100'000);
  for (const std::string& id : used) CHECK(knows(id));
}

TEST_CASE_METHOD(Fixture, "however much is used, there is room for new statements") {
  const auto each = [](int count, auto&& visit) {
    for (int i = 0; i < count; ++i) visit(std::to_string(i));
  };
  each(shards * 100, [&](const std::string& id) { CHECK(remember(id)); });
  for (int times = 0; times < 3; ++times) {
    each(shards * 100, [&](const std::string& id) { static_cast<void>(find(id)); });
  }
  each(shards, [&](const std::string& id) { CHECK(remember("new " + id)); });
  flood(shards * 5);
  each(shards, [&](const std::string& id) { CHECK(knows("new " + id)); });
}

TEST_CASE_METHOD(Fixture, "what is used every now and then outlives what is used once") {
  CHECK(remember("used"));
  for (int i = 0; i < 100'000; ++i) {
    const std::string once = "once " + std::to_string(i);
    REQUIRE(remember(once));
    REQUIRE(knows(once));
    if (i % 1000 == 0) REQUIRE(knows("used"));
  }
  CHECK_FALSE(knows("once 0"));
  CHECK(knows("once 99999"));
}

TEST_CASE_METHOD(Fixture, "preparing what is known already is no use of it") {
  CHECK(remember("again"));
  CHECK(remember("again"));
  flood(100'000);
  CHECK_FALSE(knows("again"));
}

TEST_CASE_METHOD(Fixture, "long meanings take the room of many short ones, and no more than that") {
  const std::string text(30'000, 't');
  for (int i = 0; i < 1000; ++i) REQUIRE(remember("a" + std::to_string(i), UseStatement{text}));
  int known = 0;
  for (int i = 0; i < 1000; ++i) known += knows("a" + std::to_string(i)) ? 1 : 0;
  CHECK(known >= static_cast<int>(shards));
  CHECK(known <= static_cast<int>(shards * 2));
}

TEST_CASE_METHOD(Fixture, "a meaning that grows when it is given again counts as long as it is") {
  const std::string text(30'000, 't');
  for (int i = 0; i < 1000; ++i) {
    const std::string id = "a" + std::to_string(i);
    REQUIRE(remember(id));
    REQUIRE(remember(id, UseStatement{text}));
  }
  int known = 0;
  for (int i = 0; i < 1000; ++i) known += knows("a" + std::to_string(i)) ? 1 : 0;
  CHECK(known >= static_cast<int>(shards));
  CHECK(known <= static_cast<int>(shards * 2));
}

TEST_CASE_METHOD(Fixture, "threads may prepare and execute at once") {
  std::atomic<int> wrong{0};
  const auto work = [&](int number) {
    for (int i = 0; i < 5000; ++i) {
      const std::string id = "id " + std::to_string((i * number) % 3000);
      if (!remember(id, UseStatement{id})) ++wrong;
      const auto meaning = find("id " + std::to_string(i % 3000));
      if (meaning && std::get<UseStatement>(*meaning).keyspace.empty()) ++wrong;
    }
  };
  std::vector<std::thread> threads;
  for (int number = 1; number <= 4; ++number) threads.emplace_back(work, number);
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

}  // namespace gatehouse::cassandra
