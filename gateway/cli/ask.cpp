// The commands that ask the running gateway over its admin socket.
#include <cerrno>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <system_error>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "config/load.h"
#include "config/printable.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/output.h"
#include "gateway/net/descriptor.h"
#include "gateway/observe/text.h"

namespace gatehouse::cli {

namespace {

namespace json = boost::json;

std::filesystem::path find_socket(const GatewayAddress& gateway) {
  if (!gateway.socket.empty()) return gateway.socket;
  const auto path = config::find_admin_socket(gateway.config);
  if (!path)
    throw std::runtime_error(
        fmt::format("{} names no admin.socket; use --socket", gateway.config.string()));
  return *path;
}

Descriptor connect_to(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.string().size() >= sizeof address.sun_path) {
    throw std::runtime_error(fmt::format("{}: the path is too long for a socket", path.string()));
  }
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error(fmt::format("no gateway answers at {}: {}. Is it running?",
                                         path.string(), std::generic_category().message(errno)));
  }
  return socket;
}

// The answer's `result`. Throws UsageError with its error, or what else went wrong.
json::value ask(const GatewayAddress& gateway, const json::object& request) {
  const Descriptor socket = connect_to(find_socket(gateway));
  const std::string line = json::serialize(request) + "\n";
  if (::send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(line.size())) {
    throw std::runtime_error("the gateway closed the connection");
  }
  std::string answer;
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (size <= 0) break;
    answer.append(buffer.data(), static_cast<std::size_t>(size));
  }
  json::error_code error;
  const json::value reply = json::parse(answer, error);
  if (error || !reply.is_object()) throw std::runtime_error("the gateway gave no answer");
  const json::object& object = reply.as_object();
  if (object.at("ok").as_bool()) return object.at("result");
  throw UsageError(config::printable(object.at("error").as_string()));
}

// A member as a table shows it; "-" where there is none. Clients and servers chose some of them.
std::string cell(const json::object& object, std::string_view member) {
  const json::value* value = object.if_contains(json::string_view(member.data(), member.size()));
  if (value == nullptr || value->is_null()) return "-";
  if (!value->is_string()) return printable_json(json::serialize(*value));
  const json::string& text = value->as_string();
  return text.empty() ? "-" : config::printable({text.data(), text.size()});
}

std::string rule_cell(const json::object& object) {
  return fmt::format("{}:{}", cell(object, "file"), cell(object, "line"));
}

json::object request_for(const char* command, const SessionOptions& options) {
  json::object request{{"command", command}};
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) request[key] = value;
  };
  add("session", options.session);
  add("server", options.server);
  add("from", options.from);
  add("user", options.user);
  add("rule", options.rule);
  return request;
}

std::string by_command_cell(const json::object& lockdown) {
  return fmt::format("by command of user {} since {}", cell(lockdown, "uid"),
                     cell(lockdown, "since"));
}

std::string by_rules_cell(const json::object& server) {
  const json::value& origin = server.at("locked_down_by_rules");
  return origin.is_object() ? "by " + rule_cell(origin.as_object()) : std::string();
}

void print_listeners(const json::array& listeners) {
  std::vector<std::vector<std::string>> rows{{"LISTENER", "ADDRESS"}};
  std::vector<std::vector<std::string>> nodes{{"LISTENER", "NODE", "ADDRESS"}};
  std::vector<std::string> troubles;
  for (const json::value& value : listeners) {
    const json::object& listener = value.as_object();
    if (!listener.contains("node")) {
      rows.push_back({cell(listener, "name"), cell(listener, "address")});
      continue;
    }
    nodes.push_back({cell(listener, "name"), cell(listener, "node"), cell(listener, "address")});
    if (!listener.contains("trouble")) continue;
    troubles.push_back(fmt::format("listener {}: {}", cell(listener, "name"),
                                   coloured(Colour::bad, cell(listener, "trouble"))));
  }
  print_table(rows);
  if (nodes.size() > 1) print_table(nodes);
  for (const std::string& trouble : troubles) fmt::print("{}\n", trouble);
}

void print_servers(const json::array& servers, const json::object& lockdowns) {
  std::map<std::string, std::string> by_command;
  for (const json::value& value : lockdowns.at("by_command").as_array()) {
    by_command[cell(value.as_object(), "server")] = by_command_cell(value.as_object());
  }
  std::vector<std::vector<std::string>> rows{{"SERVER", "SESSIONS", "LOCKED DOWN"}};
  for (const json::value& value : servers) {
    const json::object& server = value.as_object();
    const auto command = by_command.extract(cell(server, "name"));
    const std::string why = command ? command.mapped() : by_rules_cell(server);
    rows.push_back({cell(server, "name"), cell(server, "sessions"), why.empty() ? "no" : why});
  }
  // The others are not configured any more, and would be locked down if they were.
  for (const auto& [server, why] : by_command) rows.push_back({server, "-", why});
  print_table(rows);
}

void print_clusters(const json::array& servers) {
  std::vector<std::vector<std::string>> rows{
      {"SERVER", "CLUSTER", "NODE", "DATA CENTER", "RACK", "STATE"}};
  for (const json::value& value : servers) {
    const json::object& server = value.as_object();
    const json::value* known = server.if_contains("cluster");
    if (known == nullptr) continue;
    if (known->is_null()) {
      rows.push_back({cell(server, "name"), "-", "-", "-", "-", "unknown"});
      continue;
    }
    const json::object& cluster = known->as_object();
    for (const json::value& node_value : cluster.at("nodes").as_array()) {
      const json::object& node = node_value.as_object();
      rows.push_back({cell(server, "name"), cell(cluster, "name"), cell(node, "address"),
                      cell(node, "data_center"), cell(node, "rack"),
                      node.at("up").as_bool() ? "up" : "down"});
    }
  }
  if (rows.size() > 1) print_table(rows);
}

void print_blocked(const json::array& blocked) {
  if (blocked.empty()) return;
  std::vector<std::vector<std::string>> rows{{"BLOCKED", "NETWORK", "SERVER", "UNTIL"}};
  for (const json::value& value : blocked) {
    const json::object& block = value.as_object();
    const json::object& source = block.at("source").as_object();
    rows.push_back({cell(source, "address"), cell(source, "network"), cell(block, "server"),
                    cell(block, "until")});
  }
  print_table(rows);
}

void print_last_error(const json::value& error) {
  if (error.is_null()) return;
  const json::object& object = error.as_object();
  fmt::print("{} since {}:\n", coloured(Colour::bad, "the files on disk are refused"),
             cell(object, "time"));
  for (const json::value& value : object.at("diagnostics").as_array()) {
    const json::object& found = value.as_object();
    fmt::print("  {}:{}:{}: {}: {}\n", cell(found, "file"), cell(found, "line"),
               cell(found, "column"), cell(found, "severity"), cell(found, "message"));
    if (cell(found, "hint") != "-") fmt::print("    hint: {}\n", cell(found, "hint"));
  }
}

}  // namespace

int status(const GatewayAddress& gateway, Format format) {
  const json::value result = ask(gateway, {{"command", "status"}});
  if (format == Format::json) {
    print_json(result);
    return ExitCode::done;
  }
  const json::object& object = result.as_object();
  const json::object& snapshot = object.at("snapshot").as_object();
  const bool ready = object.at("ready").as_bool();
  fmt::print("{}, snapshot {} of {} ({} files), {} sessions\n",
             ready ? coloured(Colour::good, "ready") : coloured(Colour::bad, "not ready"),
             cell(snapshot, "generation"), cell(snapshot, "loaded"), cell(snapshot, "files"),
             cell(object, "sessions"));
  print_last_error(snapshot.at("last_error"));
  if (!object.at("audit").at("writable").as_bool()) {
    fmt::print("{}: the log says why\n", coloured(Colour::bad, "the audit cannot be written"));
  }
  if (!object.at("lockdowns").at("stored").as_bool()) {
    fmt::print("{}: the log says why\n", coloured(Colour::bad, "the lockdowns are not on disk"));
  }
  print_listeners(object.at("listeners").as_array());
  print_servers(object.at("servers").as_array(), object.at("lockdowns").as_object());
  std::vector<std::vector<std::string>> rows{{"SERVER", "BACKEND", "STATE"}};
  for (const json::value& value : object.at("servers").as_array()) {
    for (const json::value& backend : value.at("backends").as_array()) {
      rows.push_back({cell(value.as_object(), "name"), cell(backend.as_object(), "backend"),
                      cell(backend.as_object(), "state")});
    }
  }
  print_table(rows);
  print_clusters(object.at("servers").as_array());
  print_blocked(object.at("blocked").as_array());
  return ExitCode::done;
}

int rules(const GatewayAddress& gateway, Format format) {
  const json::value result = ask(gateway, {{"command", "rules"}});
  if (format == Format::json) {
    print_json(result);
    return ExitCode::done;
  }
  std::vector<std::vector<std::string>> rows{
      {"SERVER", "RULE", "KIND", "HITS", "LAST USED", "OWNER", "WHERE"}};
  for (const json::value& value : result.as_array()) {
    const json::object& rule = value.as_object();
    rows.push_back({cell(rule, "server"), cell(rule, "name"), cell(rule, "kind"),
                    cell(rule, "hits"), cell(rule, "last_used"), cell(rule, "owner"),
                    rule_cell(rule)});
  }
  print_table(rows);
  return ExitCode::done;
}

int reload(const GatewayAddress& gateway, Format format) {
  const json::value result = ask(gateway, {{"command", "reload"}});
  const json::object& object = result.as_object();
  const bool rejected = object.at("outcome").as_string() == "rejected";
  if (format == Format::json) {
    print_json(result);
  } else {
    fmt::print("{}: snapshot {} is in force\n", cell(object, "outcome"),
               cell(object, "generation"));
    print_last_error(object.at("last_error"));
  }
  return rejected ? ExitCode::failed : ExitCode::done;
}

int sessions(const GatewayAddress& gateway, const SessionOptions& options, Format format) {
  const json::value result = ask(gateway, request_for("sessions", options));
  if (format == Format::json) {
    print_json(result);
    return ExitCode::done;
  }
  std::vector<std::vector<std::string>> rows{{"SESSION", "SERVER", "SOURCE", "NETWORK", "USER",
                                              "DATABASE", "RULE", "SECONDS", "BYTES IN",
                                              "BYTES OUT"}};
  for (const json::value& value : result.as_array()) {
    const json::object& session = value.as_object();
    const json::value* rule = session.if_contains("rule");
    rows.push_back({cell(session, "session"), cell(session, "server"),
                    cell(session.at("source").as_object(), "address"),
                    cell(session.at("source").as_object(), "network"), cell(session, "user"),
                    cell(session, "database"),
                    rule != nullptr && rule->is_object() ? cell(rule->as_object(), "name") : "-",
                    fmt::format("{:.1f}", session.at("seconds").to_number<double>()),
                    cell(session, "bytes_in"), cell(session, "bytes_out")});
  }
  print_table(rows);
  return ExitCode::done;
}

int close(const GatewayAddress& gateway, const SessionOptions& options, Format format) {
  const json::value result = ask(gateway, request_for("close", options));
  if (format == Format::json) {
    print_json(result);
  } else {
    fmt::print("sessions closed: {}\n", cell(result.as_object(), "closed"));
  }
  const bool none = result.at("closed").to_number<std::uint64_t>() == 0;
  if (none && !options.session.empty()) {
    fmt::print(stderr, "gatehouse close: there is no session {}\n", options.session);
    return ExitCode::usage;
  }
  return ExitCode::done;
}

int lock_down(const GatewayAddress& gateway, const std::string& server, Format format) {
  const json::value result = ask(gateway, {{"command", "lockdown"}, {"server", server}});
  const json::object& object = result.as_object();
  const bool failed = !object.at("error").is_null();
  if (format == Format::json) {
    print_json(result);
  } else if (!failed) {
    const bool changed = object.at("outcome").as_string() == "done";
    fmt::print("{}: {}locked down\n", server, changed ? "" : "was already ");
  }
  if (failed) {
    fmt::print(
        stderr,
        "gatehouse lockdown: {} IS locked down, but this could not be stored and ends with a "
        "restart: {}\n  hint: put the cause right, and give the command again\n",
        server, cell(object, "error"));
  }
  return failed ? ExitCode::failed : ExitCode::done;
}

int unlock(const GatewayAddress& gateway, const std::string& server, Format format) {
  const json::value result = ask(gateway, {{"command", "unlock"}, {"server", server}});
  const json::object& object = result.as_object();
  const bool failed = !object.at("error").is_null();
  const std::string by_rules = by_rules_cell(object);
  if (format == Format::json) {
    print_json(result);
  } else if (!failed) {
    const bool changed = object.at("outcome").as_string() == "done";
    fmt::print("{}: {}{}\n", server, changed ? "unlocked" : "was not locked down by command",
               by_rules.empty() ? "" : ", and still is locked down " + by_rules);
  }
  if (failed) {
    fmt::print(stderr, "gatehouse unlock: {} stays locked down: {}\n", server,
               cell(object, "error"));
  }
  return failed ? ExitCode::failed : ExitCode::done;
}

int unblock(const GatewayAddress& gateway, const UnblockOptions& options, Format format) {
  json::object request{{"command", "unblock"}, {"from", options.source}};
  if (options.server) request["server"] = *options.server;
  const json::value result = ask(gateway, request);
  if (format == Format::json) {
    print_json(result);
  } else {
    fmt::print("blocks lifted: {}\n", cell(result.as_object(), "lifted"));
  }
  return ExitCode::done;
}

}  // namespace gatehouse::cli
