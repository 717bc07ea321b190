#include "gateway/cassandra/request_filter.h"

#include <utility>

#include "gateway/cassandra/error.h"
#include "gateway/cassandra/handshake.h"
#include "gateway/cassandra/invented.h"
#include "gateway/cassandra/result.h"
#include "gateway/cassandra/system_tables.h"
#include "gateway/cassandra/topology_answer.h"

namespace gatehouse::cassandra {

namespace {

using Kind = Statement::Kind;

constexpr std::string_view unreadable_request = "This request cannot be read.";
constexpr std::string_view ambiguous =
    "A USE of this connection is not answered yet, and this statement may depend on it: name the "
    "keyspace, or wait for the answer.";

bool are_same(const Statement& one, const Statement& other) {
  return one.kind == other.kind && one.keyspace == other.keyspace && one.table == other.table &&
         one.select == other.select;
}

}  // namespace

RequestFilter::RequestFilter(ShownCluster& cluster, bool hides_system_tables) noexcept
    : cluster_(cluster), hides_system_tables_(hides_system_tables) {}

RequestFilter::Verdict RequestFilter::Request::refuse(std::uint32_t code,
                                                      std::string_view message) const {
  append_error(answer, answering(header), code, message);
  return Verdict::answered;
}

RequestFilter::Verdict RequestFilter::judge(const FrameHeader& header, Bytes body,
                                            std::vector<std::uint8_t>& answer) {
  const Request request{header, answer};
  const auto content = request_content(header.flags, body);
  // Two requests on one stream: which of them an answer is to, nobody could tell. An answer to one
  // that is not awaited would pass for that to a USE or a PREPARE behind it.
  const bool is_sound =
      content && header.stream >= 0 && !awaits(header.stream) && !is_under_way(header.stream);
  if (!is_sound) {
    request.refuse(error_code::protocol, unreadable_request);
    return Verdict::broken;
  }
  const Verdict verdict = judge_content(request, *content);
  if (verdict == Verdict::pass) begin(header.stream);
  return verdict;
}

bool RequestFilter::is_under_way(std::int16_t stream) const noexcept {
  const auto at = static_cast<std::size_t>(stream);
  return at < under_way_.size() && under_way_[at];
}

void RequestFilter::begin(std::int16_t stream) {
  const auto at = static_cast<std::size_t>(stream);
  if (at >= under_way_.size()) under_way_.resize(at + 1);
  under_way_[at] = true;
  ++under_way_count_;
}

void RequestFilter::answer_begins(std::int16_t stream) noexcept {
  if (stream < 0 || !is_under_way(stream)) return;
  under_way_[static_cast<std::size_t>(stream)] = false;
  --under_way_count_;
}

RequestFilter::Verdict RequestFilter::judge_content(const Request& request, Bytes content) {
  switch (request.header.opcode) {
    case opcode::options:
      return Verdict::pass;
    case opcode::query:
      return judge_query(request, content);
    case opcode::prepare:
      return judge_prepare(request, content);
    case opcode::execute:
      return judge_execute(request, content);
    case opcode::batch:
      return judge_batch(request, content);
    case opcode::register_events:
      return judge_register(request, content);
    default:
      request.refuse(error_code::protocol, unreadable_request);
      return Verdict::broken;
  }
}

RequestFilter::Verdict RequestFilter::judge_query(const Request& request, Bytes content) {
  const auto query = parse_query(request.header.version, content);
  if (!query) return request.refuse(error_code::protocol, unreadable_request);
  auto statement = classify_here(query->text, query->parameters.keyspace);
  if (!statement) return request.refuse(error_code::invalid, ambiguous);
  if (hides_system_tables_ && is_hidden(*statement)) return refuse_hidden(request, *statement);
  if (statement->kind == Kind::use) return begin_use(request, std::move(statement->keyspace));
  if (statement->kind == Kind::definition) return await(request, Definition{});
  if (statement->kind != Kind::topology) return Verdict::pass;
  append_topology_rows(request.answer, answering(request.header), statement->select,
                       query->parameters, cluster_.view());
  return Verdict::answered;
}

RequestFilter::Verdict RequestFilter::judge_prepare(const Request& request, Bytes content) {
  const auto prepare = parse_prepare(request.header.version, content);
  if (!prepare) return request.refuse(error_code::protocol, unreadable_request);
  auto statement = classify_here(prepare->text, prepare->keyspace);
  if (!statement) return request.refuse(error_code::invalid, ambiguous);
  if (is_hidden(*statement)) {
    // Where it passes, its id is not remembered: it must not pass any more once tables are hidden.
    return hides_system_tables_ ? refuse_hidden(request, *statement) : Verdict::pass;
  }
  if (statement->kind == Kind::use) {
    return await(request, Preparation{UseStatement{std::move(statement->keyspace)}});
  }
  if (statement->kind == Kind::definition) {
    return await(request, Preparation{DefinitionStatement{}});
  }
  if (statement->kind != Kind::topology) return await(request, Preparation{OrdinaryStatement{}});
  const bool has_ports = cluster_.view().ring->has_ports;
  const auto id = topology_statement_id(prepare->text, statement->keyspace, has_ports);
  if (!cluster_.prepared().remember(id, TopologyStatement{statement->select, has_ports})) {
    return request.refuse(error_code::invalid, "This statement is too long.");
  }
  append_topology_prepared(request.answer, answering(request.header), id, statement->select,
                           has_ports);
  return Verdict::answered;
}

RequestFilter::Verdict RequestFilter::judge_execute(const Request& request, Bytes content) {
  const auto execute = parse_execute(request.header.version, content);
  if (!execute) return request.refuse(error_code::protocol, unreadable_request);
  const auto meaning = cluster_.prepared().find(execute->id);
  if (meaning) {
    if (const auto* use = std::get_if<UseStatement>(&*meaning)) {
      return begin_use(request, use->keyspace);
    }
    if (std::holds_alternative<DefinitionStatement>(*meaning)) return await(request, Definition{});
    const auto* topology = std::get_if<TopologyStatement>(&*meaning);
    if (topology == nullptr) return Verdict::pass;
    const TopologyView view = cluster_.view();
    if (topology->has_ports == view.ring->has_ports) {
      append_topology_rows(request.answer, answering(request.header), topology->select,
                           execute->parameters, view);
      return Verdict::answered;
    }
  } else if (!hides_system_tables_) {
    return Verdict::pass;
  }
  append_unprepared(request.answer, answering(request.header), execute->id);
  return Verdict::answered;
}

// What nodes take in a BATCH changes rows: there is neither USE nor SELECT among it.
RequestFilter::Verdict RequestFilter::judge_batch(const Request& request, Bytes content) {
  const auto batch = parse_batch(request.header.version, content);
  if (!batch) return request.refuse(error_code::protocol, unreadable_request);
  for (const BatchEntry& entry : batch->entries) {
    bool is_change = true;
    if (entry.is_prepared) {
      const auto meaning = cluster_.prepared().find(entry.id);
      if (!meaning && hides_system_tables_) {
        append_unprepared(request.answer, answering(request.header), entry.id);
        return Verdict::answered;
      }
      is_change = !meaning || std::holds_alternative<OrdinaryStatement>(*meaning) ||
                  std::holds_alternative<DefinitionStatement>(*meaning);
    } else {
      const auto statement = classify_here(entry.text, batch->parameters.keyspace);
      if (!statement) return request.refuse(error_code::invalid, ambiguous);
      if (hides_system_tables_ && is_hidden(*statement)) return refuse_hidden(request, *statement);
      is_change = statement->kind != Kind::use && statement->kind != Kind::topology;
    }
    if (!is_change) {
      return request.refuse(error_code::invalid,
                            "Only UPDATE, INSERT and DELETE statements are allowed in a batch.");
    }
  }
  return Verdict::pass;
}

// An event of a kind that is not known here might name a node.
RequestFilter::Verdict RequestFilter::judge_register(const Request& request, Bytes content) const {
  const auto registration = parse_register(content);
  if (registration && !registration->anything_else) return Verdict::pass;
  return request.refuse(error_code::protocol,
                        "Events of this kind do not pass this gateway: it knows TOPOLOGY_CHANGE, "
                        "STATUS_CHANGE and SCHEMA_CHANGE.");
}

std::optional<Statement> RequestFilter::classify_here(std::string_view text,
                                                      std::string_view keyspace) const {
  if (!keyspace.empty()) return classify(text, keyspace);
  std::optional<Statement> found;
  for (const std::string_view possible : keyspaces_.possible()) {
    Statement statement = classify(text, possible);
    if (found && !are_same(*found, statement)) return std::nullopt;
    found = std::move(statement);
  }
  return found;
}

bool RequestFilter::is_hidden(const Statement& statement) noexcept {
  switch (statement.kind) {
    case Kind::topology:
    case Kind::functions_of_local:
    case Kind::use:
    case Kind::describe:
    case Kind::definition:
    case Kind::other:
      return false;
    case Kind::system_select:
      return !may_be_read(statement.keyspace, statement.table);
    case Kind::system_change:
    case Kind::describe_cluster:
    case Kind::unreadable:
      break;
  }
  return true;
}

RequestFilter::Verdict RequestFilter::refuse_hidden(const Request& request,
                                                    const Statement& statement) {
  if (statement.kind == Kind::system_select) {
    return request.refuse(error_code::unauthorized,
                          "Table " + statement.keyspace + "." + statement.table +
                              " may show where nodes are: it cannot be read through this gateway.");
  }
  if (statement.kind == Kind::system_change) {
    return request.refuse(error_code::unauthorized,
                          "Keyspace " + statement.keyspace +
                              " is Cassandra's own: it cannot be changed through this gateway.");
  }
  if (statement.kind == Kind::describe_cluster) {
    return request.refuse(error_code::unauthorized,
                          "DESCRIBE CLUSTER shows where nodes are: it does not pass this gateway.");
  }
  return request.refuse(error_code::syntax,
                        "This gateway cannot read this statement, and lets none pass that might "
                        "show where nodes are.");
}

RequestFilter::Verdict RequestFilter::begin_use(const Request& request, std::string keyspace) {
  // A node that is slow with what has passed before would read it in the new keyspace, where names
  // mean something else.
  if (hides_system_tables_ && under_way_count_ > 0 && is_system_keyspace(keyspace)) {
    return request.refuse(error_code::invalid,
                          "Other statements of this connection are not answered yet: wait for "
                          "them before a USE of a keyspace of Cassandra's own.");
  }
  const Verdict verdict = await(request, Use{});
  if (verdict != Verdict::pass) return verdict;
  if (keyspaces_.begin(request.header.stream, std::move(keyspace))) return Verdict::pass;
  awaited_.erase(request.header.stream);
  return request.refuse(error_code::invalid, ambiguous);
}

RequestFilter::Verdict RequestFilter::await(const Request& request, Awaited awaited) {
  if (awaited_.size() >= awaited_max) {
    return request.refuse(error_code::overloaded,
                          "Too many statements of this connection are being prepared.");
  }
  awaited_.emplace(request.header.stream, std::move(awaited));
  return Verdict::pass;
}

bool RequestFilter::answered(const FrameHeader& header, Bytes content) {
  const auto found = awaited_.find(header.stream);
  if (found == awaited_.end()) return false;
  const Awaited awaited = std::move(found->second);
  awaited_.erase(found);
  const bool is_result = header.opcode == opcode::result;
  if (const auto* preparation = std::get_if<Preparation>(&awaited)) {
    const auto prepared = is_result ? parse_prepared(header.version, content) : std::nullopt;
    // One that is not remembered is answered as unknown when it is executed.
    if (prepared) {
      static_cast<void>(cluster_.prepared().remember(prepared->id, preparation->meaning));
    }
    return false;
  }
  if (std::holds_alternative<Definition>(awaited)) {
    const bool has_changed = is_result && result_kind(content) == ResultKind::schema_change;
    if (has_changed) cluster_.schema_has_changed();
    return has_changed;
  }
  keyspaces_.end(header.stream, is_result ? parse_set_keyspace(content) : std::nullopt);
  return false;
}

}  // namespace gatehouse::cassandra
