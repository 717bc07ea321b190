#include "gateway/observe/denial_fold.h"

#include <catch2/catch.hpp>

#include "tests/gateway/observe/records.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

constexpr DenialFold::Time start(1000h);

TEST_CASE("each id of a PROXY header is told of, though the address is the same", "[audit]") {
  DenialFold fold;
  SessionRecord record = denied_record();
  for (const std::uint32_t id : {1U, 2U, 3U}) {
    record.source.ids.azure_link_id = id;
    CHECK(fold.is_first(record, start));
    CHECK_FALSE(fold.is_first(record, start));
  }
  CHECK(fold.take_all().size() == 3);
}

TEST_CASE("the first denial of a source is written, its repeats are counted", "[fold]") {
  DenialFold fold;
  CHECK(fold.is_first(denied_record(), start));
  CHECK_FALSE(fold.is_first(denied_record(), start + 1s));
  CHECK_FALSE(fold.is_first(denied_record(), start + 59s));
  CHECK(fold.take_due(start + 59s).empty());

  const auto due = fold.take_due(start + 60s);
  REQUIRE(due.size() == 1);
  CHECK(due[0].count == 2);
  CHECK(due[0].server == "orders");
  CHECK(due[0].listener == "public-mariadb");
  CHECK(due[0].reason == rules::Reason::no_matching_rule);
  CHECK(due[0].snapshot == 3);
  REQUIRE(due[0].source);
  CHECK(due[0].source->address.to_string() == "198.51.100.7");
  CHECK(due[0].source->port == 0);
}

TEST_CASE("a scanner that goes on makes one record a minute", "[fold]") {
  DenialFold fold;
  std::uint64_t records = 0;
  std::uint64_t connections = 0;
  for (auto now = start; now < start + 1h; now += 100ms) {
    for (const FoldedDenials& folded : fold.take_due(now)) {
      ++records;
      connections += folded.count;
    }
    if (fold.is_first(denied_record(), now)) {
      ++records;
      ++connections;
    }
  }
  CHECK(records == 60);
  for (const FoldedDenials& folded : fold.take_all()) connections += folded.count;
  CHECK(connections == 36'000);
}

TEST_CASE("a source that was quiet for a minute is new again", "[fold]") {
  DenialFold fold;
  CHECK(fold.is_first(denied_record(), start));
  CHECK(fold.take_due(start + 60s).empty());
  CHECK(fold.is_first(denied_record(), start + 61s));

  CHECK_FALSE(fold.is_first(denied_record(), start + 62s));
  CHECK(fold.take_due(start + 121s).size() == 1);
  CHECK(fold.take_due(start + 181s).empty());
  CHECK(fold.is_first(denied_record(), start + 182s));
}

TEST_CASE("another address, network, server or reason is another key", "[fold]") {
  DenialFold fold;
  CHECK(fold.is_first(denied_record(), start));
  CHECK(fold.is_first(denied_record("198.51.100.8"), start));
  CHECK(fold.is_first(denied_record("198.51.100.7", "billing"), start));
  CHECK(fold.is_first(denied_record("198.51.100.7", "orders", rules::Reason::locked_down), start));
  SessionRecord by_network = denied_record();
  by_network.source.network = "factory";
  CHECK(fold.is_first(by_network, start));
  CHECK_FALSE(fold.is_first(denied_record(), start));
}

TEST_CASE("beyond the bound, denials are folded without their source", "[fold]") {
  DenialFold fold(2);
  CHECK(fold.is_first(denied_record("192.0.2.1"), start));
  CHECK(fold.is_first(denied_record("192.0.2.2"), start));
  CHECK(fold.is_first(denied_record("192.0.2.3"), start));
  CHECK_FALSE(fold.is_first(denied_record("192.0.2.4"), start));
  CHECK_FALSE(fold.is_first(denied_record("192.0.2.5"), start));
  CHECK_FALSE(fold.is_first(denied_record("192.0.2.1"), start));
  CHECK(fold.is_first(denied_record("192.0.2.6", "billing"), start));

  std::uint64_t with_source = 0;
  std::uint64_t without_source = 0;
  for (const FoldedDenials& folded : fold.take_due(start + 60s)) {
    (folded.source ? with_source : without_source) += folded.count;
  }
  CHECK(with_source == 1);
  CHECK(without_source == 2);
}

TEST_CASE("what could not be written is counted from its first denial on", "[fold]") {
  DenialFold fold;
  fold.count(denied_record(), start);
  fold.count(denied_record(), start + 1s);
  const auto due = fold.take_due(start + 1s);
  REQUIRE(due.size() == 1);
  CHECK(due[0].count == 2);
  CHECK_FALSE(fold.is_first(denied_record(), start + 2s));
}

TEST_CASE("at the end all folds are taken, due or not", "[fold]") {
  DenialFold fold;
  CHECK(fold.is_first(denied_record("192.0.2.1"), start));
  CHECK(fold.is_first(denied_record("192.0.2.2"), start));
  CHECK_FALSE(fold.is_first(denied_record("192.0.2.2"), start));
  const auto all = fold.take_all();
  REQUIRE(all.size() == 1);
  CHECK(all[0].count == 1);
  CHECK(fold.take_all().empty());
}

}  // namespace
}  // namespace gatehouse
