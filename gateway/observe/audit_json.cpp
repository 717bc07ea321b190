#include "gateway/observe/audit_json.h"

#include <cstdint>
#include <cstring>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "gateway/observe/text.h"

namespace gatehouse {
namespace {

namespace json = boost::json;

// What operators chose (names, paths, messages) is longer by nature, but bounded too.
constexpr std::size_t max_own_text = 4096;
// A rejected snapshot may have a mistake in every line of a list; `check` shows them all.
constexpr std::size_t max_diagnostics = 100;

std::string own_text(std::string_view text) {
  return valid_utf8(text, max_own_text);
}
std::string client_text(std::string_view text) {
  return valid_utf8(text, max_client_text);
}

void add_own(json::object& object, std::string_view key, std::string_view text) {
  if (!text.empty()) object[key] = own_text(text);
}
void add_client(json::object& object, std::string_view key, std::string_view text) {
  if (!text.empty()) object[key] = client_text(text);
}

double seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

json::object source_object(const AuditSource& source) {
  json::object object;
  object["address"] = source.address.to_string();
  if (source.port != 0) object["port"] = source.port;
  add_own(object, "network", source.network);
  add_own(object, "subnet", source.subnet);
  if (source.peer_address) object["peer_address"] = source.peer_address->to_string();
  const rules::HeaderIds& ids = source.ids;
  if (ids.azure_link_id) object["azure_link_id"] = *ids.azure_link_id;
  if (ids.aws_vpce_id) add_client(object, "aws_vpce_id", *ids.aws_vpce_id);
  if (ids.gcp_psc_connection_id) object["gcp_psc_connection_id"] = *ids.gcp_psc_connection_id;
  return object;
}

json::object rule_object(const AuditRule& rule) {
  json::object object;
  add_own(object, "name", rule.name);
  add_own(object, "file", rule.file);
  object["line"] = rule.line;
  return object;
}

json::object tls_object(const AuditTls& tls) {
  json::object object;
  add_own(object, "version", tls.version);
  add_own(object, "cipher", tls.cipher);
  add_client(object, "sni", tls.sni);
  object["resumed"] = tls.resumed;
  add_client(object, "client_subject", tls.client_subject);
  return object;
}

void append(json::object& object, json::object fields) {
  for (auto& field : fields) object[field.key()] = std::move(field.value());
}

// A denial has a `reason` instead.
void add_close_reason(json::object& line, CloseReason reason) {
  if (reason != CloseReason::denied) line["close_reason"] = to_string(reason);
}

void add_end(json::object& line, const SessionRecord& record) {
  add_close_reason(line, record.close_reason);
  add_own(line, "bound", record.bound);
  add_own(line, "detail", record.detail);
}

void add_fields(json::object& line, const Opened& event) {
  append(line, session_fields(event.record));
}

void add_fields(json::object& line, const Closed& event) {
  append(line, session_fields(event.record));
  line["bytes_in"] = event.record.bytes_in;
  line["bytes_out"] = event.record.bytes_out;
  line["seconds"] = seconds(event.record.duration);
  add_end(line, event.record);
}

void add_fields(json::object& line, const Denied& event) {
  append(line, session_fields(event.record));
  add_end(line, event.record);
}

void add_fields(json::object& line, const FoldedDenials& event) {
  add_own(line, "listener", event.listener);
  add_own(line, "server", event.server);
  if (event.source) line["source"] = source_object(*event.source);
  if (event.reason) {
    line["verdict"] = rules::to_string(rules::Verdict::deny);
    line["reason"] = rules::to_string(*event.reason);
  }
  add_close_reason(line, event.close_reason);
  if (event.rule) line["rule"] = rule_object(*event.rule);
  if (event.snapshot != 0) line["snapshot"] = event.snapshot;
  line["count"] = event.count;
}

// The decision that let the source in is not what this is about: `reason` says what is.
void add_fields(json::object& line, const Alert& event) {
  const SessionRecord& record = event.record;
  line["session"] = to_string(record.session);
  add_own(line, "listener", record.listener);
  add_own(line, "server", record.server);
  line["source"] = source_object(record.source);
  line["reason"] = "failed_logins";
  line["count"] = event.count;
  if (record.snapshot != 0) line["snapshot"] = record.snapshot;
  add_client(line, "user", record.user);
}

void add_fields(json::object& line, const RefusedUnrecorded& event) {
  line["close_reason"] = to_string(CloseReason::audit_unwritable);
  line["count"] = event.count;
}

void add_fields(json::object& line, const SnapshotLoaded& event) {
  line["snapshot"] = event.generation;
  line["files"] = event.files;
  line["seconds"] = seconds(event.duration);
}

json::array diagnostic_array(const std::vector<config::Diagnostic>& diagnostics) {
  json::array array;
  for (config::Diagnostic diagnostic : diagnostics) {
    const bool is_cut = array.size() == max_diagnostics;
    if (is_cut) {
      diagnostic.message = fmt::format("and {} more", diagnostics.size() - max_diagnostics);
      diagnostic.hint.clear();
    }
    array.push_back(to_json(diagnostic));
    if (is_cut) break;
  }
  return array;
}

void add_fields(json::object& line, const SnapshotRejected& event) {
  if (event.generation != 0) line["snapshot"] = event.generation;
  line["files"] = event.files;
  line["seconds"] = seconds(event.duration);
  line["diagnostics"] = diagnostic_array(event.diagnostics);
}

void add_fields(json::object& line, const AdminCommand& event) {
  line["command"] = own_text(event.command);
  line["by"] = json::object{{"uid", event.uid}, {"pid", event.pid}};
  line["result"] = own_text(event.result);
}

std::string_view name_of(const AuditEvent& event) {
  struct Names {
    std::string_view operator()(const Opened&) const { return "opened"; }
    std::string_view operator()(const Closed&) const { return "closed"; }
    std::string_view operator()(const Denied& event) const { return of(event.record.close_reason); }
    std::string_view operator()(const FoldedDenials& event) const { return of(event.close_reason); }
    std::string_view operator()(const Alert&) const { return "alert"; }
    std::string_view operator()(const RefusedUnrecorded&) const { return "closed"; }
    std::string_view operator()(const SnapshotLoaded&) const { return "snapshot_loaded"; }
    std::string_view operator()(const SnapshotRejected&) const { return "snapshot_rejected"; }
    std::string_view operator()(const AdminCommand&) const { return "admin"; }
    static std::string_view of(CloseReason reason) {
      return reason == CloseReason::denied ? "denied" : "closed";
    }
  };
  return std::visit(Names{}, event);
}

// Boost.JSON writes 1.5 as 1.5E0, which nobody reads with pleasure; `seconds` is the only number of
// its kind, and stands last.
std::string to_text(json::object& line) {
  std::string seconds;
  if (const json::value* value = line.if_contains("seconds")) {
    seconds = fmt::format(R"(,"seconds":{:.6f})", value->get_double());
    line.stable_erase("seconds");
  }
  std::string text = json::serialize(line);
  text.pop_back();
  return text += seconds + '}';
}

}  // namespace

json::object session_fields(const SessionRecord& record) {
  json::object object;
  object["session"] = to_string(record.session);
  add_own(object, "listener", record.listener);
  add_own(object, "server", record.server);
  object["source"] = source_object(record.source);
  if (record.verdict) object["verdict"] = rules::to_string(*record.verdict);
  if (record.reason) object["reason"] = rules::to_string(*record.reason);
  if (record.rule) object["rule"] = rule_object(*record.rule);
  if (record.snapshot != 0) object["snapshot"] = record.snapshot;
  if (record.tls) object["tls"] = tls_object(*record.tls);
  add_client(object, "user", record.user);
  add_client(object, "database", record.database);
  add_client(object, "program", record.program);
  add_own(object, "backend", record.backend);
  if (record.backend_thread) object["backend_thread"] = *record.backend_thread;
  if (record.backend_local_port) object["backend_local_port"] = *record.backend_local_port;
  return object;
}

json::object to_json(const config::Diagnostic& diagnostic) {
  json::object object;
  object["file"] = own_text(diagnostic.at.file);
  object["line"] = diagnostic.at.line;
  object["column"] = diagnostic.at.column;
  object["severity"] = config::to_string(diagnostic.severity);
  object["message"] = own_text(diagnostic.message);
  // Always there, so that a program need not ask.
  object["hint"] =
      diagnostic.hint.empty() ? json::value(nullptr) : json::value(own_text(diagnostic.hint));
  return object;
}

std::string to_json_line(const AuditEvent& event, std::chrono::system_clock::time_point time,
                         std::string_view gateway) {
  json::object line;
  line["time"] = rfc3339_microseconds(time);
  line["event"] = name_of(event);
  add_own(line, "gateway", gateway);
  std::visit([&line](const auto& alternative) { add_fields(line, alternative); }, event);
  return printable_json(to_text(line)) + '\n';
}

}  // namespace gatehouse
