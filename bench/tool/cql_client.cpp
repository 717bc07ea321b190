#include "bench/tool/cql_client.h"

#include <array>

#include <fmt/format.h>

#include "bench/tool/stub_answers.h"
#include "gateway/cassandra/error.h"
#include "gateway/cassandra/own_requests.h"

namespace gatehouse::bench {

namespace {

namespace opcode = cassandra::opcode;

constexpr std::uint8_t version = 4;
constexpr std::uint32_t answer_size_max = 16 * 1024 * 1024;

}  // namespace

bool CqlClient::log_in(const Target& target, const Account& account, SSL_CTX& context,
                       SSL_SESSION* resume, StageTimes& times) {
  if (target.is_tls) {
    if (!channel_.begin_tls(context, resume)) return false;
    times.mark(Stage::tls);
  }
  std::vector<std::uint8_t> body;
  cassandra::append_startup(body, GATEHOUSE_VERSION);
  if (!ask(opcode::startup, body)) return false;
  times.mark(Stage::greeting);
  if (answer_.opcode == opcode::authenticate) {
    body.clear();
    cassandra::append_plain_login(body, account.user, account.password);
    if (!ask(opcode::auth_response, body)) return false;
    if (answer_.opcode != opcode::auth_success) return fail_with_answer("the login");
  } else if (answer_.opcode != opcode::ready) {
    return fail_with_answer("STARTUP");
  }
  times.mark(Stage::login);
  return true;
}

bool CqlClient::query() {
  return ask_for_rows(small_statement);
}

bool CqlClient::query_bulk() {
  if (!ask_for_rows(bulk_statement)) {
    return channel_.fail(
        fmt::format("{}\n  hint: only `gatehouse-bench stub` has a table for it", channel_.why()));
  }
  return body_.size() > bulk_size || channel_.fail("it gave another answer than the stub's");
}

bool CqlClient::ask_for_rows(std::string_view statement) {
  std::vector<std::uint8_t> body;
  cassandra::append_query(body, version, statement);
  if (!ask(opcode::query, body)) return false;
  return answer_.opcode == opcode::result || fail_with_answer("a query");
}

bool CqlClient::ask(std::uint8_t opcode, Bytes body) {
  std::vector<std::uint8_t> frame;
  cassandra::append_frame(frame, {.version = version, .stream = 1, .opcode = opcode}, body);
  if (!channel_.write(frame)) return false;
  std::array<std::uint8_t, cassandra::header_size> bytes{};
  if (!channel_.read_exactly(bytes)) return false;
  const auto read = cassandra::read_header(bytes, cassandra::Sender::node);
  if (read.outcome != cassandra::HeaderRead::Outcome::header ||
      read.header.length > answer_size_max) {
    return channel_.fail("it does not speak CQL's native protocol");
  }
  answer_ = read.header;
  body_.resize(answer_.length);
  return channel_.read_exactly(body_);
}

bool CqlClient::fail_with_answer(const char* request) {
  const auto error = answer_.opcode == opcode::error ? cassandra::parse_error(body_) : std::nullopt;
  if (!error) return channel_.fail(fmt::format("it answered {} with something else", request));
  return channel_.fail(fmt::format("error 0x{:04X}: {}", error->code, error->message));
}

}  // namespace gatehouse::bench
