// What a client asks for once it is in, and who answers: the node, or the gateway, which knows
// better what the client may learn of nodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/cassandra/bytes.h"
#include "gateway/cassandra/frame.h"
#include "gateway/cassandra/keyspaces.h"
#include "gateway/cassandra/prepared_statements.h"
#include "gateway/cassandra/query.h"
#include "gateway/cassandra/shown_cluster.h"
#include "gateway/cassandra/statement.h"

namespace gatehouse::cassandra {

class RequestFilter {
 public:
  // Requests on their way to the node whose answers must be seen, at most.
  static constexpr std::size_t awaited_max = 1024;

  enum class Verdict {
    pass,      // to the node, as it is
    answered,  // by the gateway: a whole frame was appended
    broken,    // the same, and nothing more can be believed of this client
  };

  // `cluster` must outlive this. `hides_system_tables`: what may show where nodes are is refused.
  RequestFilter(ShownCluster& cluster, bool hides_system_tables) noexcept;

  // Of a whole frame whose `body` is decompressed.
  Verdict judge(const FrameHeader& header, Bytes body, std::vector<std::uint8_t>& answer);

  // A node's answer on that stream has begun: another request may follow on it.
  void answer_begins(std::int16_t stream) noexcept;
  // Whether the answer on that stream is awaited(), and then what it was.
  [[nodiscard]] bool awaits(std::int16_t stream) const { return awaited_.contains(stream); }
  // Whether it tells of a change of the schema. `content`: behind the prefix, of a RESULT or an
  // ERROR.
  bool answered(const FrameHeader& header, Bytes content);

 private:
  // What is remembered of a request until it is answered.
  struct Use {};
  struct Definition {};
  struct Preparation {
    StatementMeaning meaning;
  };
  using Awaited = std::variant<Use, Definition, Preparation>;

  // One request, and where its answer goes.
  struct Request {
    FrameHeader header;
    std::vector<std::uint8_t>& answer;

    Verdict refuse(std::uint32_t code, std::string_view message) const;
  };

  Verdict judge_content(const Request& request, Bytes content);
  Verdict judge_query(const Request& request, Bytes content);
  Verdict judge_prepare(const Request& request, Bytes content);
  Verdict judge_execute(const Request& request, Bytes content);
  Verdict judge_batch(const Request& request, Bytes content);
  Verdict judge_register(const Request& request, Bytes content) const;

  // REQUIRES: no negative stream.
  [[nodiscard]] bool is_under_way(std::int16_t stream) const noexcept;
  void begin(std::int16_t stream);

  // Unset: it depends on whether a USE that is under way is taken before it.
  [[nodiscard]] std::optional<Statement> classify_here(std::string_view text,
                                                       std::string_view keyspace) const;
  // Whether it is refused where system tables are hidden.
  [[nodiscard]] static bool is_hidden(const Statement& statement) noexcept;
  static Verdict refuse_hidden(const Request& request, const Statement& statement);
  Verdict begin_use(const Request& request, std::string keyspace);
  Verdict await(const Request& request, Awaited awaited);

  ShownCluster& cluster_;
  bool hides_system_tables_;
  Keyspaces keyspaces_;
  std::map<std::int16_t, Awaited> awaited_;
  // Requests that have passed and are not answered: whether there is one on a stream, and how many.
  std::vector<bool> under_way_;
  std::size_t under_way_count_ = 0;
};

}  // namespace gatehouse::cassandra
