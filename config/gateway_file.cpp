#include "config/gateway_file.h"

#include <cstdint>
#include <string>
#include <utility>

#include "config/bounds.h"
#include "config/listeners.h"
#include "config/network_section.h"
#include "config/servers.h"
#include "config/values.h"

namespace gatehouse::config {
namespace {

Audit read_audit(const Value& value) {
  Audit audit;
  read_fields(value, [&](Fields& fields) {
    fields.require("file", audit.file, read_path);
    fields.read("when_unwritable", audit.when_unwritable,
                one_of<WhenUnwritable>(
                    {{"refuse", WhenUnwritable::refuse}, {"continue", WhenUnwritable::carry_on}}));
  });
  return audit;
}

Admin read_admin(const Value& value) {
  Admin admin;
  read_fields(value, [&](Fields& fields) {
    fields.read("socket", admin.socket, [](const Value& socket) {
      const auto path = socket.text();
      return path ? read_socket_path(socket, *path) : std::nullopt;
    });
    if (const auto http = fields.find("http")) {
      admin.http = read_socket_address(*http);
      admin.http_at = http->at();
    }
  });
  return admin;
}

Log read_log(const Value& value) {
  Log log;
  read_fields(value, [&](Fields& fields) {
    fields.read("level", log.level,
                one_of<LogLevel>({{"debug", LogLevel::debug},
                                  {"info", LogLevel::info},
                                  {"warning", LogLevel::warning},
                                  {"error", LogLevel::error}}));
    fields.read("format", log.format,
                one_of<LogFormat>({{"text", LogFormat::text}, {"json", LogFormat::json}}));
  });
  return log;
}

std::optional<std::uint32_t> read_workers(const Value& value) {
  if (value.node().kind == YamlKind::text && value.node().text == "auto") return 0;
  if (value.node().kind == YamlKind::integer) return integer_between(1, workers_max)(value);
  value.error("expected a whole number or auto");
  return std::nullopt;
}

}  // namespace

std::optional<FileReference> read_gateway_file(const Value& document,
                                               Configuration& configuration) {
  std::optional<FileReference> rules;
  read_fields(document, [&](Fields& fields) {
    std::uint32_t version = 1;  // the only one there is
    fields.read("version", version, integer_between(1, version));
    fields.read("name", configuration.name, read_text);
    // Whatever is referred to is read first.
    if (const auto servers = fields.require("servers")) {
      configuration.servers = read_servers(*servers);
    }
    if (const auto listeners = fields.require("listeners")) {
      configuration.listeners = read_listeners(*listeners, configuration.servers);
    }
    if (const auto networks = fields.find("networks")) {
      configuration.networks = rules::NetworkMap(read_networks(*networks, configuration.listeners));
    }
    fields.require("rules", rules, read_file_reference);
    configuration.state = configuration.folder / "state";
    fields.read("state", configuration.state, read_path);
    if (const auto audit = fields.find("audit")) configuration.audit = read_audit(*audit);
    if (const auto admin = fields.find("admin")) configuration.admin = read_admin(*admin);
    if (const auto log = fields.find("log")) configuration.log = read_log(*log);
    if (const auto limits = fields.find("limits")) configuration.limits = read_limits(*limits);
    fields.read("workers", configuration.workers, read_workers);
  });
  return rules;
}

}  // namespace gatehouse::config
