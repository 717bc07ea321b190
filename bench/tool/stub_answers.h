// What a node of Cassandra says to whoever measures what stands in front of it: made once, and the
// same for everybody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "gateway/cassandra/frame.h"

namespace gatehouse::bench {

// What CQL clients of the benchmark ask for. One row, at once; a table that passes the gateway,
// which answers those that tell of nodes itself.
inline constexpr std::string_view small_statement =
    "SELECT keyspace_name FROM system_schema.keyspaces LIMIT 1";
// One row with a cell of that many bytes; only the stub has it.
inline constexpr std::string_view bulk_statement = "SELECT bytes FROM gatehouse_bench.bulk";
inline constexpr std::size_t bulk_size = 1'000'000;

class StubAnswers {
 public:
  // Where it listens, of which a gateway asks: on 127.0.0.1.
  explicit StubAnswers(std::uint16_t port);

  // Appends the answer, but for what `filler` says: so many bytes of whatever value end it.
  struct Answer {
    std::size_t filler = 0;
    bool is_last = false;  // the connection is to be closed behind it
  };
  [[nodiscard]] Answer answer(const cassandra::FrameHeader& request, Bytes body,
                              std::vector<std::uint8_t>& out) const;

 private:
  using Frame = std::vector<std::uint8_t>;

  // Null: nothing is known of that.
  [[nodiscard]] const Frame* find(std::uint8_t code, Bytes body) const;

  Frame supported_;
  Frame ready_;
  Frame local_;
  Frame peers_;
  Frame small_;
  Frame bulk_;  // without its filler
};

}  // namespace gatehouse::bench
