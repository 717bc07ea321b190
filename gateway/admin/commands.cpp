#include "gateway/admin/commands.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "gateway/admin/session_filter.h"
#include "gateway/cassandra/candidate.h"
#include "gateway/cassandra/ring_reader.h"
#include "gateway/gateway.h"
#include "gateway/host_id.h"
#include "gateway/observe/audit_json.h"
#include "gateway/observe/text.h"
#include "rules/explain.h"

namespace gatehouse {

namespace {

namespace json = boost::json;

std::string failure(std::string_view text) {
  return json::serialize(json::object{{"ok", false}, {"error", text}});
}
// `result` is JSON.
std::string success_with(std::string_view result) {
  return fmt::format(R"({{"ok":true,"result":{}}})", result);
}
std::string success(const json::value& result) {
  return success_with(json::serialize(result));
}

// A request as one would type it: "close --server orders".
std::string in_words(const json::object& request) {
  std::string words(request.at("command").as_string());
  const std::string_view unnamed = words == "unblock"                         ? "from"
                                   : words == "lockdown" || words == "unlock" ? "server"
                                                                              : "session";
  for (const auto& [key, value] : request) {
    if (key == "command") continue;
    words += std::string_view(key) == unnamed ? " " : " --" + std::string(key) + " ";
    words += value.as_string();
  }
  return words;
}

json::array to_json(const std::vector<config::Diagnostic>& diagnostics) {
  json::array array;
  for (const config::Diagnostic& diagnostic : diagnostics)
    array.push_back(gatehouse::to_json(diagnostic));
  return array;
}

json::value to_json(const std::optional<LoadError>& error) {
  if (!error) return nullptr;
  return json::object{{"time", rfc3339_microseconds(error->time)},
                      {"diagnostics", to_json(error->diagnostics)}};
}

json::array to_json(const std::vector<FailedLogins::Block>& blocks, FailedLogins::Time steady_now) {
  const auto now = std::chrono::system_clock::now();
  json::array array;
  for (const FailedLogins::Block& block : blocks) {
    json::object source{{"address", block.source.address.to_string()}};
    if (!block.source.network.empty()) source["network"] = block.source.network;
    const auto left =
        std::chrono::duration_cast<std::chrono::system_clock::duration>(block.until - steady_now);
    // Whole seconds: two clocks, read one after the other, would tell another microsecond each
    // time.
    array.push_back({{"server", block.server},
                     {"source", std::move(source)},
                     {"until", rfc3339(std::chrono::round<std::chrono::seconds>(now + left))}});
  }
  return array;
}

json::object to_json(const rules::Policy& policy, const rules::Rule& rule, const RuleUse& use) {
  const auto last = use.last_used();
  return {{"server", policy.server()},
          {"kind", rules::to_string(rule.kind())},
          {"name", rule.name},
          {"file", rule.origin.file},
          {"line", rule.origin.line},
          {"owner", rule.owner},
          {"description", rule.description},
          {"hits", use.hits()},
          {"last_used", last ? json::value(rules::to_string(*last)) : json::value(nullptr)}};
}

// Null: the rule files do not.
json::value locked_down_by_rules(const rules::Policy& policy) {
  const auto& at = policy.spec().locked_down_at;
  if (!policy.spec().locked_down || !at) return nullptr;
  return json::object{{"file", at->file}, {"line", at->line}};
}

json::object to_json(const Lockdowns& lockdowns) {
  json::array array;
  for (const Lockdown& lockdown : lockdowns.all()) {
    array.push_back({{"server", lockdown.server},
                     {"since", rules::to_string(lockdown.since)},
                     {"uid", lockdown.uid}});
  }
  return {{"stored", lockdowns.are_stored()}, {"by_command", std::move(array)}};
}

std::string in_words(const Gateway::LockdownOutcome& outcome, bool locks) {
  if (!outcome.error.empty())
    return (locks ? "locked down, but not on disk: " : "still locked down: ") + outcome.error;
  if (outcome.lacked_memory) return "there is not enough memory now; it is tried again each second";
  if (outcome.changed) return locks ? "locked down" : "unlocked";
  return locks ? "was locked down already" : "was not locked down";
}

json::array backends_of(const ServerState& server) {
  json::array backends;
  for (std::size_t index = 0; index < server.backends.size(); ++index) {
    backends.push_back({{"backend", server.server->backends[index].text},
                        {"state", to_string(server.backends[index]->health())}});
  }
  return backends;
}

// What a node says of itself may be any bytes.
std::string said(std::string_view text) {
  return valid_utf8(text, cassandra::ring_text_max);
}

// Null: the ring is not known.
json::value cluster_of(const Cluster& cluster) {
  const auto ring = cluster.ring();
  if (ring == nullptr) return nullptr;
  json::array nodes;
  for (const cassandra::Node& node : ring->nodes) {
    nodes.push_back({{"host_id", host_id_text(node.host_id)},
                     {"address", cassandra::candidate_of(node).text},
                     {"data_center", said(node.data_center)},
                     {"rack", said(node.rack)},
                     {"up", !cluster.is_down(node.host_id)}});
  }
  return json::object{{"name", said(ring->cluster_name)}, {"nodes", std::move(nodes)}};
}

json::object to_json(const Gateway::BoundListener& bound) {
  json::object object{
      {"name", bound.listener},
      {"address", bound.address ? json::value(to_string(*bound.address)) : json::value(nullptr)}};
  if (bound.node) object["node"] = host_id_text(*bound.node);
  if (!bound.trouble.empty()) object["trouble"] = bound.trouble;
  return object;
}

json::object to_json(const ServerState& server) {
  json::object object{{"name", server.server->name},
                      {"sessions", server.metrics->sessions.value()},
                      {"locked_down", server.policy.is_locked_down()},
                      {"locked_down_by_rules", locked_down_by_rules(*server.policy.written)},
                      {"backends", backends_of(server)}};
  if (server.cluster != nullptr) object["cluster"] = cluster_of(*server.cluster);
  return object;
}

}  // namespace

void AdminCommands::run(std::string_view line, const AdminPeer& peer, Reply reply) {
  json::error_code error;
  const json::value value = json::parse(json::string_view(line.data(), line.size()), error);
  if (error || !value.is_object()) return reply(failure("a request is one JSON object on a line"));
  const json::object& request = value.as_object();
  const json::value* named = request.if_contains("command");
  if (named == nullptr || !named->is_string()) return reply(failure("'command' is missing"));
  const json::string& command = named->as_string();
  if (command == "status") return status(reply);
  if (command == "rules") return rules(reply);
  if (command == "reload") return reload(peer, std::move(reply));
  if (command == "sessions") return sessions(request, std::move(reply));
  if (command == "close") return close(request, peer, std::move(reply));
  if (command == "lockdown" || command == "unlock") return lockdown(request, peer, reply);
  if (command == "unblock") return unblock(request, peer, reply);
  reply(failure("unknown command"));
}

void AdminCommands::status(const Reply& reply) {
  const Snapshot& snapshot = *gateway_.snapshot();
  json::array listeners;
  for (const auto& bound : gateway_.listeners()) {
    listeners.push_back(to_json(bound));
  }
  json::array servers;
  std::int64_t sessions = 0;
  for (const auto& server : snapshot.servers) {
    servers.push_back(to_json(*server));
    sessions += server->metrics->sessions.value();
  }
  const auto steady_now = std::chrono::steady_clock::now();
  reply(success(
      {{"ready", gateway_.is_ready()},
       {"snapshot",
        {{"generation", snapshot.generation},
         {"loaded", rfc3339_microseconds(snapshot.loaded)},
         {"files", snapshot.inputs.size()},
         {"last_error", to_json(gateway_.last_error())}}},
       {"audit", {{"writable", gateway_.audit().writable()}, {"queued", gateway_.audit().depth()}}},
       {"sessions", sessions},
       {"listeners", std::move(listeners)},
       {"servers", std::move(servers)},
       {"lockdowns", to_json(gateway_.lockdowns())},
       {"blocked", to_json(gateway_.failed_logins().blocks(steady_now), steady_now)}}));
}

void AdminCommands::rules(const Reply& reply) {
  json::array found;
  for (const auto& server : gateway_.snapshot()->servers) {
    const auto& rules = server->policy.written->rules();
    for (std::size_t number = 0; number < rules.size(); ++number) {
      found.push_back(to_json(*server->policy.written, rules[number], *server->rule_uses[number]));
    }
  }
  reply(success(std::move(found)));
}

void AdminCommands::reload(const AdminPeer& peer, Reply reply) {
  gateway_.reload([this, peer, reply = std::move(reply)](ReloadOutcome outcome) {
    const std::string_view text = outcome == ReloadOutcome::loaded      ? "loaded"
                                  : outcome == ReloadOutcome::unchanged ? "unchanged"
                                                                        : "rejected";
    gateway_.audit().record(AdminCommand{
        .command = "reload", .uid = peer.uid, .pid = peer.pid, .result = std::string(text)});
    reply(success({{"outcome", text},
                   {"generation", gateway_.snapshot()->generation},
                   {"last_error", to_json(gateway_.last_error())}}));
  });
}

std::optional<SessionFilter> AdminCommands::read_filter(const json::object& request,
                                                        std::string& error) const {
  auto filter = SessionFilter::parse(request, error);
  if (filter && filter->server && gateway_.snapshot()->find_server(*filter->server) == nullptr) {
    error = "there is no server '" + *filter->server + "'";
    return std::nullopt;
  }
  return filter;
}

void AdminCommands::sessions(const json::object& request, Reply reply) {
  std::string error;
  const auto filter = read_filter(request, error);
  if (!filter) return reply(failure(error));
  gateway_.for_each_session(
      [filter](Session& session) -> std::optional<std::string> {
        const SessionRecord record = session.record();
        if (!filter->matches(record)) return std::nullopt;
        return session_json(record);
      },
      [reply = std::move(reply)](const std::vector<std::string>& found) {
        reply(success_with(fmt::format("[{}]", fmt::join(found, ","))));
      });
}

void AdminCommands::close(const json::object& request, const AdminPeer& peer, Reply reply) {
  std::string error;
  const auto filter = read_filter(request, error);
  if (!filter) return reply(failure(error));
  if (filter->means_all())
    return reply(failure("say which sessions: SESSION, --server, --from, --user or --rule"));
  gateway_.for_each_session(
      [filter](Session& session) -> std::optional<std::string> {
        const SessionRecord record = session.record();
        if (!filter->matches(record)) return std::nullopt;
        session.cut(CloseReason::killed);
        return to_string(record.session);
      },
      [this, peer, command = in_words(request),
       reply = std::move(reply)](const std::vector<std::string>& closed) {
        gateway_.audit().record(AdminCommand{.command = command,
                                             .uid = peer.uid,
                                             .pid = peer.pid,
                                             .result = std::to_string(closed.size()) + " closed"});
        reply(success({{"closed", closed.size()}}));
      });
}

// One of the configuration, or one that has gone from it and is still locked down.
std::optional<std::string> AdminCommands::read_server(const json::object& request,
                                                      std::string& error) const {
  const json::value* value = request.if_contains("server");
  if (request.size() != 2 || value == nullptr || !value->is_string()) {
    error = "say which server: SERVER";
    return std::nullopt;
  }
  std::string server(value->get_string());
  if (gateway_.snapshot()->find_server(server) == nullptr &&
      gateway_.lockdowns().find(server) == nullptr) {
    error = "there is no server '" + server + "'";
    return std::nullopt;
  }
  return server;
}

void AdminCommands::lockdown(const json::object& request, const AdminPeer& peer,
                             const Reply& reply) {
  std::string error;
  const auto server = read_server(request, error);
  if (!server) return reply(failure(error));
  const bool locks = request.at("command").as_string() == "lockdown";
  const Gateway::LockdownOutcome outcome =
      locks ? gateway_.lock_down(*server, peer.uid) : gateway_.unlock(*server, peer.uid);
  gateway_.audit().record(AdminCommand{.command = in_words(request),
                                       .uid = peer.uid,
                                       .pid = peer.pid,
                                       .result = in_words(outcome, locks)});
  if (outcome.lacked_memory)
    return reply(failure("server " + *server + ": " + in_words(outcome, locks)));
  const ServerState* state = gateway_.snapshot()->find_server(*server);
  reply(success(
      {{"server", *server},
       {"outcome", !outcome.error.empty() ? "failed"
                   : outcome.changed      ? "done"
                                          : "unchanged"},
       {"locked_down", state != nullptr ? state->policy.is_locked_down()
                                        : gateway_.lockdowns().find(*server) != nullptr},
       {"locked_down_by_rules",
        state != nullptr ? locked_down_by_rules(*state->policy.written) : json::value(nullptr)},
       {"generation", gateway_.snapshot()->generation},
       {"error", outcome.error.empty() ? json::value(nullptr) : json::value(outcome.error)}}));
}

void AdminCommands::unblock(const json::object& request, const AdminPeer& peer,
                            const Reply& reply) {
  std::string error;
  const auto filter = read_filter(request, error);
  if (!filter) return reply(failure(error));
  if (!filter->from || filter->session || filter->user || filter->rule)
    return reply(failure("say which blocks: SOURCE, and --server"));
  const std::size_t lifted = gateway_.failed_logins().lift(*filter->from, filter->server,
                                                           std::chrono::steady_clock::now());
  gateway_.audit().record(AdminCommand{.command = in_words(request),
                                       .uid = peer.uid,
                                       .pid = peer.pid,
                                       .result = std::to_string(lifted) + " lifted"});
  reply(success({{"lifted", lifted}}));
}

}  // namespace gatehouse
