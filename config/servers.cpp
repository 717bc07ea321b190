#include "config/servers.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "config/bounds.h"
#include "config/names.h"
#include "config/values.h"

namespace gatehouse::config {
namespace {

constexpr std::string_view letters_and_digits =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

// An address, or a name that a resolver may know. Digits and dots alone are an address gone wrong.
bool is_host(const HostAndPort& where, bool in_brackets) {
  constexpr std::size_t name_max = 253;
  if (const auto ip = rules::IpAddress::parse(where.host)) {
    return ip->is_v4() != in_brackets && !ip->is_unspecified();
  }
  const auto is_name_character = [](char c) {
    return letters_and_digits.find(c) != std::string_view::npos || c == '.' || c == '-' || c == '_';
  };
  return !in_brackets && where.host.size() <= name_max &&
         std::all_of(where.host.begin(), where.host.end(), is_name_character) &&
         where.host.find_first_not_of("0123456789.") != std::string_view::npos &&
         !where.host.starts_with('.') && where.host.find("..") == std::string_view::npos;
}

std::optional<Backend> read_backend(const Value& value) {
  constexpr std::string_view unix_prefix = "unix:";
  auto text = value.text();
  if (!text) return std::nullopt;
  if (text->starts_with(unix_prefix) && text->size() > unix_prefix.size()) {
    auto path = read_socket_path(value, text->substr(unix_prefix.size()));
    if (!path) return std::nullopt;
    return Backend{UnixBackend{*std::move(path)}, *std::move(text), value.at()};
  }
  const auto where = split_host_and_port(*text);
  if (where && where->port != 0 && is_host(*where, text->starts_with('['))) {
    TcpBackend backend{std::string(where->host), where->port};
    return Backend{std::move(backend), *std::move(text), value.at()};
  }
  value.error(in_quotes(*text) + " is no backend",
              "write it like 10.1.0.4:3306, [fd00::4]:3306, db.internal:3306 or "
              "unix:/run/mysqld/mysqld.sock");
  return std::nullopt;
}

std::optional<std::string> read_sha256(const Value& value) {
  auto text = value.text();
  if (!text) return std::nullopt;
  constexpr std::string_view hex_digits = "0123456789abcdefABCDEF";
  if (text->size() != 64 || text->find_first_not_of(hex_digits) != std::string::npos) {
    value.error("must be 64 hex digits", "the SHA-256 of the certificate's DER, without colons");
    return std::nullopt;
  }
  for (char& digit : *text) {
    if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit - 'A' + 'a');
  }
  return text;
}

BackendTls read_backend_tls(const Value& value) {
  BackendTls tls;
  read_fields(value, [&](Fields& fields) {
    fields.read("mode", tls.mode,
                one_of<BackendTlsMode>({{"verify", BackendTlsMode::verify},
                                        {"pin", BackendTlsMode::pin},
                                        {"off", BackendTlsMode::off}}));
    fields.read("ca", tls.ca, read_file_reference);
    fields.read("name", tls.name, read_text);
    const auto sha256 = fields.find("sha256");
    if (sha256) tls.sha256 = read_sha256(*sha256).value_or("");
    if (sha256 && tls.mode != BackendTlsMode::pin) {
      sha256->error("pins a certificate, which only 'mode: pin' looks at");
    } else if (!sha256 && tls.mode == BackendTlsMode::pin) {
      value.file().diagnostics.error(value.at(), "missing key 'sha256', which 'mode: pin' needs");
    }
    tls.identity = read_optional_key_pair(fields);
  });
  return tls;
}

Topology read_topology(const Value& value) {
  Topology topology;
  read_fields(value, [&](Fields& fields) {
    fields.require("user", topology.user, read_text);
    fields.require("password_file", topology.password_file, read_file_reference);
  });
  return topology;
}

bool all_unix(const std::vector<Backend>& backends) {
  return !backends.empty() &&
         std::all_of(backends.begin(), backends.end(), [](const auto& backend) {
           return std::holds_alternative<UnixBackend>(backend.where);
         });
}

void refuse_for_mariadb(std::optional<Protocol> protocol, const std::optional<Value>& value) {
  if (value && protocol == Protocol::mariadb) value->error("only a Cassandra server has this");
}

Server read_server(const Value& value, NamesInUse& names) {
  Server server;
  server.at = value.at();
  read_fields(value, [&](Fields& fields) {
    fields.require("name", server.name, unique_in(names, read_server_name));
    std::optional<Protocol> protocol;
    fields.require("protocol", protocol, read_protocol);
    server.protocol = protocol.value_or(Protocol::mariadb);
    fields.require("backends", server.backends, list_of(read_backend));
    if (const auto tls = fields.find("tls")) {
      server.tls = read_backend_tls(*tls);
    } else if (all_unix(server.backends)) {
      server.tls.mode = BackendTlsMode::off;
    }
    fields.read("send_proxy_protocol", server.send_proxy_protocol, read_boolean);
    fields.read("dial_timeout", server.dial_timeout, read_duration);
    fields.read("max_sessions", server.max_sessions, integer_between(1, sessions_max));
    const auto topology = fields.find("topology");
    if (topology) server.topology = read_topology(*topology);
    refuse_for_mariadb(protocol, topology);
    const auto hide_system_tables = fields.find("hide_system_tables");
    if (hide_system_tables)
      server.hide_system_tables = hide_system_tables->boolean().value_or(true);
    refuse_for_mariadb(protocol, hide_system_tables);
  });
  return server;
}

}  // namespace

std::optional<Protocol> read_protocol(const Value& value) {
  return one_of<Protocol>({{"mariadb", Protocol::mariadb}, {"cassandra", Protocol::cassandra}})(
      value);
}

std::vector<Server> read_servers(const Value& value) {
  NamesInUse names;
  std::vector<Server> servers;
  for (const Value& item : value.items()) servers.push_back(read_server(item, names));
  return servers;
}

}  // namespace gatehouse::config
