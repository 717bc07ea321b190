// One connection's requests before the filter, and what a client and a node then say.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <catch2/catch.hpp>

#include "gateway/cassandra/error.h"
#include "gateway/cassandra/request_filter.h"
#include "tests/gateway/cassandra/cluster_of_three.h"
#include "tests/gateway/cassandra/requests.h"

namespace gatehouse::cassandra::test {

using Verdict = RequestFilter::Verdict;

// Each in a run of its own.
inline std::uint8_t any_version() {
  return GENERATE(values<std::uint8_t>({3, 4, 5}));
}

struct Filtered {
  explicit Filtered(std::uint8_t spoken, bool hides_system_tables = true)
      : version(spoken), filter(cluster, hides_system_tables) {}
  Filtered(const Filtered&) = delete;
  Filtered& operator=(const Filtered&) = delete;

  Verdict ask(std::int16_t stream, std::uint8_t opcode, Bytes body, std::uint8_t flags = 0) {
    answer.clear();
    const Verdict verdict = filter.judge(
        {.version = version, .flags = flags, .stream = stream, .opcode = opcode}, body, answer);
    const bool is_for_it =
        answer.empty() || read_header(answer, Sender::node).header.stream == stream;
    CHECK(is_for_it);
    CHECK(answer.empty() == (verdict == Verdict::pass));
    if (!is_slow && verdict == Verdict::pass && !filter.awaits(stream)) {
      filter.answer_begins(stream);
    }
    return verdict;
  }
  Verdict query(std::int16_t stream, std::string_view text, std::string_view keyspace = {}) {
    return ask(stream, opcode::query, query_body(version, text, keyspace));
  }
  Verdict prepare(std::int16_t stream, std::string_view text, std::string_view keyspace = {}) {
    return ask(stream, opcode::prepare, prepare_body(version, text, keyspace));
  }
  Verdict execute(std::int16_t stream, std::string_view id) {
    return ask(stream, opcode::execute, execute_body(version, bytes_of(id)));
  }
  Verdict batch(std::initializer_list<BatchPart> parts, std::string_view keyspace = {}) {
    return ask(1, opcode::batch, batch_body(version, parts, keyspace));
  }

  void reply(std::int16_t stream, std::uint8_t opcode, Bytes content) {
    filter.answer_begins(stream);
    filter.answered(
        {.sender = Sender::node, .version = version, .stream = stream, .opcode = opcode}, content);
  }
  void reply_prepared(std::int16_t stream, std::string_view id) {
    reply(stream, opcode::result, prepared_content(version, bytes_of(id)));
  }
  void reply_keyspace(std::int16_t stream, std::string_view keyspace) {
    reply(stream, opcode::result, set_keyspace_content(keyspace));
  }
  void reply_error(std::int16_t stream) {
    reply(stream, opcode::error, error_content(error_code::invalid, "No."));
  }
  void prepare_as(std::string_view text, std::string_view id) {
    REQUIRE(prepare(1, text) == Verdict::pass);
    reply_prepared(1, id);
  }

  // What the last answer is: the code of an ERROR and its words.
  [[nodiscard]] std::pair<std::uint32_t, std::string> error() const {
    const auto parsed = parse_error(content_of(answer, opcode::error));
    if (!parsed) return {0xFFFF, "no error"};
    return {parsed->code, std::string(parsed->message)};
  }
  [[nodiscard]] std::uint32_t code() const { return error().first; }
  [[nodiscard]] Bytes result() const { return content_of(answer, opcode::result); }

  ClusterOfThree cluster;
  std::uint8_t version;
  RequestFilter filter;
  Buffer answer;
  bool is_slow = false;  // the node, with answers that are not awaited
};

}  // namespace gatehouse::cassandra::test
