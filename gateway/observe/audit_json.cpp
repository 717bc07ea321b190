#include "gateway/observe/audit_json.h"

#include <cstdint>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/compile.h>

#include "gateway/observe/json_writer.h"
#include "gateway/observe/text.h"

namespace gatehouse {
namespace {

namespace json = boost::json;

// What operators chose (names, paths, messages) is longer by nature, but bounded too.
constexpr std::size_t max_own_text = 4096;
// A rejected snapshot may have a mistake in every line of a list; `check` shows them all.
constexpr std::size_t max_diagnostics = 100;

void add_own(JsonWriter& out, std::string_view key, std::string_view text) {
  if (!text.empty()) out.add_text(key, text, max_own_text);
}
void add_client(JsonWriter& out, std::string_view key, std::string_view text) {
  if (!text.empty()) out.add_text(key, text, max_client_text);
}

void add_seconds(JsonWriter& out, std::chrono::nanoseconds duration) {
  const double seconds = std::chrono::duration<double>(duration).count();
  out.add_json("seconds", fmt::format(FMT_COMPILE("{:.6f}"), seconds));
}

void add_source(JsonWriter& out, const AuditSource& source) {
  out.open("source");
  add_own(out, "address", source.address.to_string());
  if (source.port != 0) out.add_number("port", source.port);
  add_own(out, "network", source.network);
  add_own(out, "subnet", source.subnet);
  if (source.peer_address) add_own(out, "peer_address", source.peer_address->to_string());
  const rules::HeaderIds& ids = source.ids;
  if (ids.azure_link_id) out.add_number("azure_link_id", *ids.azure_link_id);
  if (ids.aws_vpce_id) add_client(out, "aws_vpce_id", *ids.aws_vpce_id);
  if (ids.gcp_psc_connection_id) {
    out.add_number("gcp_psc_connection_id", *ids.gcp_psc_connection_id);
  }
  out.close();
}

void add_rule(JsonWriter& out, const std::optional<AuditRule>& rule) {
  if (!rule) return;
  out.open("rule");
  add_own(out, "name", rule->name);
  add_own(out, "file", rule->file);
  out.add_number("line", rule->line);
  out.close();
}

void add_tls(JsonWriter& out, const std::optional<AuditTls>& tls) {
  if (!tls) return;
  out.open("tls");
  add_own(out, "version", tls->version);
  add_own(out, "cipher", tls->cipher);
  add_client(out, "sni", tls->sni);
  out.add_json("resumed", tls->resumed ? "true" : "false");
  add_client(out, "client_subject", tls->client_subject);
  out.close();
}

void add_snapshot(JsonWriter& out, std::uint64_t generation) {
  if (generation != 0) out.add_number("snapshot", generation);
}

// What `opened` has of a session, without time, event and gateway.
void add_session(JsonWriter& out, const SessionRecord& record) {
  add_own(out, "session", to_string(record.session));
  add_own(out, "listener", record.listener);
  add_own(out, "server", record.server);
  add_source(out, record.source);
  if (record.verdict) add_own(out, "verdict", rules::to_string(*record.verdict));
  if (record.reason) add_own(out, "reason", rules::to_string(*record.reason));
  add_rule(out, record.rule);
  add_snapshot(out, record.snapshot);
  add_tls(out, record.tls);
  add_client(out, "user", record.user);
  add_client(out, "database", record.database);
  add_client(out, "program", record.program);
  add_own(out, "backend", record.backend);
  if (record.backend_thread) out.add_number("backend_thread", *record.backend_thread);
  if (record.backend_local_port) out.add_number("backend_local_port", *record.backend_local_port);
}

void add_bytes(JsonWriter& out, const SessionRecord& record) {
  out.add_number("bytes_in", record.bytes_in);
  out.add_number("bytes_out", record.bytes_out);
}

// A denial has a `reason` instead.
void add_close_reason(JsonWriter& out, CloseReason reason) {
  if (reason != CloseReason::denied) add_own(out, "close_reason", to_string(reason));
}

void add_end(JsonWriter& out, const SessionRecord& record) {
  add_close_reason(out, record.close_reason);
  add_own(out, "bound", record.bound);
  add_own(out, "detail", record.detail);
}

void add_fields(JsonWriter& out, const Opened& event) {
  add_session(out, event.record);
}

void add_fields(JsonWriter& out, const Closed& event) {
  add_session(out, event.record);
  add_bytes(out, event.record);
  add_end(out, event.record);
  add_seconds(out, event.record.duration);
}

void add_fields(JsonWriter& out, const Denied& event) {
  add_session(out, event.record);
  add_end(out, event.record);
}

void add_fields(JsonWriter& out, const FoldedDenials& event) {
  add_own(out, "listener", event.listener);
  add_own(out, "server", event.server);
  if (event.source) add_source(out, *event.source);
  if (event.reason) {
    add_own(out, "verdict", rules::to_string(rules::Verdict::deny));
    add_own(out, "reason", rules::to_string(*event.reason));
  }
  add_close_reason(out, event.close_reason);
  add_rule(out, event.rule);
  add_snapshot(out, event.snapshot);
  out.add_number("count", event.count);
}

// The decision that let the source in is not what this is about: `reason` says what is.
void add_fields(JsonWriter& out, const Alert& event) {
  const SessionRecord& record = event.record;
  add_own(out, "session", to_string(record.session));
  add_own(out, "listener", record.listener);
  add_own(out, "server", record.server);
  add_source(out, record.source);
  add_own(out, "reason", "failed_logins");
  out.add_number("count", event.count);
  add_snapshot(out, record.snapshot);
  add_client(out, "user", record.user);
}

void add_fields(JsonWriter& out, const RefusedUnrecorded& event) {
  add_close_reason(out, CloseReason::audit_unwritable);
  out.add_number("count", event.count);
}

void add_fields(JsonWriter& out, const SnapshotLoaded& event) {
  out.add_number("snapshot", event.generation);
  out.add_number("files", event.files);
  add_seconds(out, event.duration);
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

void add_fields(JsonWriter& out, const SnapshotRejected& event) {
  add_snapshot(out, event.generation);
  out.add_number("files", event.files);
  out.add_json("diagnostics", printable_json(json::serialize(diagnostic_array(event.diagnostics))));
  add_seconds(out, event.duration);
}

void add_fields(JsonWriter& out, const AdminCommand& event) {
  out.add_text("command", event.command, max_own_text);
  out.open("by");
  out.add_number("uid", event.uid);
  out.add_number("pid", event.pid);
  out.close();
  out.add_text("result", event.result, max_own_text);
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

}  // namespace

json::object to_json(const config::Diagnostic& diagnostic) {
  const auto own_text = [](std::string_view text) { return valid_utf8(text, max_own_text); };
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

void append_json_line(std::string& text, const AuditEvent& event,
                      std::chrono::system_clock::time_point time, std::string_view gateway) {
  JsonWriter out(text);
  out.open();
  add_own(out, "time", rfc3339_microseconds(time));
  add_own(out, "event", name_of(event));
  add_own(out, "gateway", gateway);
  std::visit([&out](const auto& alternative) { add_fields(out, alternative); }, event);
  out.close();
  text += '\n';
}

std::string session_json(const SessionRecord& record) {
  std::string text;
  JsonWriter out(text);
  out.open();
  add_session(out, record);
  add_bytes(out, record);
  add_seconds(out, record.duration);
  out.close();
  return text;
}

}  // namespace gatehouse
